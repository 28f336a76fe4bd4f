"""What a card offers, the engine it names can plan: a documented value is never refused after it was accepted."""

from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.domain.model_card import ModelCard, Parameter
from rushes.domain.payload import check_payload
from rushes.domain.pricing import quote
from rushes.engines.animatic import AnimaticEngine
from rushes.engines.diffusers import DiffusersEngine
from rushes.engines.engine import Engine, Picture
from rushes.engines.faults import FaultsEngine
from rushes.engines.options import Setup

CARDS = load_catalog(test_models=True).cards
ENGINES: dict[str, Engine] = {engine.name: engine for engine in (AnimaticEngine(), FaultsEngine())}


def offered(parameter: Parameter) -> list[Any]:
    """The values a form would offer: every option, both ends of every range, both states of a switch."""
    values: list[Any] = [option for option in parameter.options if option not in parameter.unsupported]
    values += [value for value in (parameter.minimum, parameter.maximum) if value is not None]
    return values + ([True, False] if parameter.type == "boolean" else [])


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_everything_a_card_offers_can_be_planned_and_priced(card: ModelCard) -> None:
    cases = [{}] + [{parameter.name: value} for parameter in card.parameters for value in offered(parameter)]
    for case in cases:
        params = check_payload(card, {**card.example, **case}).params
        plan = ENGINES[card.engine].normalise(card, params, 1)
        assert plan.seconds > 0, case
        assert quote(card, params, plan.seconds) > 0, case
        length = params.get("duration", params.get("durationSeconds"))
        if length is not None:
            assert plan.seconds == pytest.approx(float(str(length).rstrip("s")), abs=0.05), case


OPEN = [card for card in CARDS if any(choice.engine == "diffusers" for choice in card.prefers)]


@pytest.mark.parametrize("card", OPEN, ids=lambda card: card.id)
def test_everything_a_card_of_open_weights_offers_can_be_planned_for_them(card: ModelCard) -> None:
    engine = DiffusersEngine(Setup("diffusers"))
    caps = engine.caps(card)
    assert caps.kinds
    assert not caps.weightless
    cases = [{}] + [{parameter.name: value} for parameter in card.parameters for value in offered(parameter)]
    for case in cases:
        params = check_payload(card, {**card.example, **case}).params
        plan = engine.normalise(card, params, 1, {"image": Picture(1600, 900), "last_image": Picture(1600, 900)})
        assert plan.kind in caps.kinds, case
        assert plan.width is not None and plan.width % 2 == 0, case
        assert plan.num_frames >= plan.keep_frames > 0, case
        assert quote(card, params, plan.seconds) > 0, case
