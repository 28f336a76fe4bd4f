"""What holds for every payload on every card."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rushes.catalog.loader import Catalog, load_catalog
from rushes.domain.errors import InvalidPayload
from rushes.domain.model_card import ModelCard
from rushes.domain.payload import check_payload
from rushes.domain.pricing import quote
from rushes.domain.roles import NAMES

CARDS = load_catalog(test_models=True).cards
KEYS = sorted(
    {p.name for card in CARDS for p in card.parameters} | {name for names in NAMES.values() for name in names}
)

texts = st.text(st.characters(exclude_categories=()), max_size=40)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 20),
    st.floats(),
    texts,
    st.sampled_from(
        ["5", "5s", "-1", "1e400", "720p", "16:9", "1280x720", "on", "no", "", " ", "https://example.com/a"]
    ),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3))
payloads = st.dictionaries(st.sampled_from(KEYS) | texts, values, max_size=12)
quiet = settings(max_examples=300)


@quiet
@given(card=st.sampled_from(CARDS), payload=payloads)
def test_any_json_is_accepted_or_refused_as_an_invalid_payload(card: ModelCard, payload: dict[str, Any]) -> None:
    try:
        checked = check_payload(card, payload)
    except InvalidPayload as error:
        assert error.faults
        assert all(fault.param in {p.name for p in card.parameters} for fault in error.faults)
        assert all(len(fault.given or "") <= 60 for fault in error.faults)
    else:
        assert set(checked.params) <= {p.name for p in card.parameters}
        assert all(p.name in checked.params for p in card.parameters if p.required)


def _usable(card: ModelCard, draw: Any) -> dict[str, Any]:
    """The card's example with some values replaced by ones of the right kind."""
    payload = dict(card.example)
    for parameter in card.parameters:
        if parameter.options and draw(st.booleans()):
            options = [option for option in parameter.options if option not in parameter.unsupported]
            payload[parameter.name] = draw(st.sampled_from([*options, *(str(o).upper() for o in options)]))
        elif parameter.type == "integer" and parameter.minimum is not None and draw(st.booleans()):
            low, high = int(parameter.minimum), int(parameter.maximum or parameter.minimum)
            number = draw(st.integers(low, high))
            payload[parameter.name] = draw(st.sampled_from([number, str(number), float(number)]))
    return payload


@quiet
@given(data=st.data(), card=st.sampled_from(CARDS))
def test_cleaned_parameters_checked_again_give_themselves(data: st.DataObject, card: ModelCard) -> None:
    payload = _usable(card, data.draw)
    if card.id == "pixverse-v5.6-i2v":
        payload["duration"] = 5
    once = check_payload(card, payload)
    twice = check_payload(card, once.params)
    assert twice.params == once.params
    assert twice.media == once.media
    assert not [warning for warning in twice.warnings if "parameter of this model" in warning]


@quiet
@given(card=st.sampled_from(CARDS), payload=payloads)
def test_whatever_passes_is_stable_and_has_a_price(card: ModelCard, payload: dict[str, Any]) -> None:
    try:
        once = check_payload(card, {**card.example, **payload})
    except InvalidPayload:
        return
    assert check_payload(card, once.params).params == once.params
    assert quote(card, once.params, 5) > 0


def test_every_example_of_a_card_passes_without_a_warning_about_its_keys(catalog: Catalog) -> None:
    for card in catalog.cards:
        assert check_payload(card, card.example).warnings == (), card.id


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_an_empty_payload_is_a_fault_on_every_model(card: ModelCard) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_payload(card, {})
    missing = {fault.param for fault in refused.value.faults}
    assert {p.name for p in card.parameters if p.required and p.default is None} <= missing
