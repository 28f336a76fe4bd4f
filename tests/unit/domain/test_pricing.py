"""Quotes are integers and rounded as stated."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rushes.catalog.loader import Catalog
from rushes.domain.model_card import ModelCard, Parameter, Price
from rushes.domain.payload import check_payload
from rushes.domain.pricing import dollars, quote


def card(price: Price) -> ModelCard:
    return ModelCard(
        id="m",
        family="f",
        org_id="o",
        task="text-to-video",
        display_name="M",
        brief_description="",
        detailed_description="",
        parameters=(
            Parameter("tier", "enum", "Tier", options=("480P", "720P"), role="resolution"),
            Parameter("sound", "boolean", "Sound", role="sound"),
        ),
        price=price,
        engine="animatic",
    )


@pytest.mark.parametrize(
    ("model", "payload", "seconds", "micro"),
    [
        ("Veo3", {}, 8, 400_000),
        ("Veo3", {"durationSeconds": "4"}, 4, 400_000),
        ("skyreels-v4-image-to-video", {"sound": False}, 5, 600_000),
        ("skyreels-v4-image-to-video", {"sound": "on"}, 5, 700_000),
        ("seedance-2-0-260128", {"resolution": "480p"}, 10, 700_000),
        ("seedance-2-0-260128", {}, 10, 1_520_000),
        ("seedance-2-0-260128", {"resolution": "1080P"}, 4, 1_496_000),
        ("wan3.0-video", {"resolution": "480"}, 30, 1_500_000),
        ("kling-v3-text-to-video", {"sound": True}, 3, 756_000),
        ("kling-v3-text-to-video", {"sound": None}, 3, 504_000),
    ],
)
def test_the_price_follows_length_and_the_priced_value(
    catalog: Catalog, model: str, payload: dict[str, Any], seconds: float, micro: int
) -> None:
    found = catalog.find(model)
    assert quote(found, check_payload(found, {**found.example, **payload}).params, seconds) == micro


def test_a_table_is_found_by_role_or_by_name_and_has_a_price_for_everything_else() -> None:
    by_role = card(Price(100, by="resolution", amounts={"480p": 50}))
    by_name = card(Price(100, by="tier", amounts={"480P": 50}))
    for priced in (by_role, by_name):
        assert quote(priced, {"tier": "480P"}, 1) == 50
        assert quote(priced, {"tier": "720P"}, 1) == 100
        assert quote(priced, {}, 1) == 100


@pytest.mark.parametrize(
    ("amount", "seconds", "micro"),
    [(1, 0.4996, 1), (1, 0.4994, 0), (1, 0.5, 1), (3, 0.5, 2), (152_000, 5.0625, 769_576), (0, 1000, 0)],
)
def test_seconds_count_to_the_millisecond_and_halves_go_up(amount: int, seconds: float, micro: int) -> None:
    assert quote(card(Price(amount)), {}, seconds) == micro


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf])
def test_an_impossible_length_has_no_price(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds long"):
        quote(card(Price(1, unit="request")), {}, seconds)


@given(amount=st.integers(0, 10**9), milliseconds=st.integers(0, 10**7))
def test_a_quote_is_within_half_a_micro_dollar_of_the_exact_product(amount: int, milliseconds: int) -> None:
    exact = Fraction(amount * milliseconds, 1000)
    quoted = quote(card(Price(amount)), {}, milliseconds / 1000)
    assert isinstance(quoted, int)
    assert abs(quoted - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("micro", "words"), [(152_000, "$0.152"), (400_000, "$0.40"), (1_000_000, "$1.00"), (1, "$0.000001"), (0, "$0.00")]
)
def test_amounts_are_written_without_needless_zeros(micro: int, words: str) -> None:
    assert dollars(micro) == words
