"""What a request costs, in integer micro-dollars, from the card and the cleaned parameters."""

import math
from collections.abc import Mapping
from typing import Any, Final

from rushes.domain.model_card import ModelCard, Parameter
from rushes.domain.parameter_value import comparable

MICRO: Final = 1_000_000
"""Micro-dollars in a dollar."""


def quote(card: ModelCard, params: Mapping[str, Any], seconds: float) -> int:
    """The price of one request that renders `seconds` of video.

    Per second: seconds are taken to the millisecond and the product is rounded to the nearest micro-dollar, halves
    up, all in integers. Per request and per image: one unit. Raises ValueError for seconds that are negative, infinite
    or not a number.
    """
    rate = unit_price(card, params)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"a video cannot be {seconds} seconds long")
    if card.price.unit != "second":
        return rate
    milliseconds = math.floor(seconds * 1000 + 0.5)
    return (rate * milliseconds + 500) // 1000


def unit_price(card: ModelCard, params: Mapping[str, Any]) -> int:
    """The micro-dollars of one unit for these parameters: the row of the card's price table, else its base price."""
    price = card.price
    if price.by is None:
        return price.amount
    parameter = priced_parameter(card, price.by)
    value = params.get(parameter.name) if parameter else None
    if value is None:
        return price.amount
    role = parameter.role if parameter else None
    table = {comparable(key, role): amount for key, amount in price.amounts.items()}
    return table.get(comparable(value, role), price.amount)


def priced_parameter(card: ModelCard, by: str) -> Parameter | None:
    """The parameter a price table goes by, named directly or by its role."""
    named = card.parameter(by)
    return named or next((parameter for parameter in card.parameters if parameter.role == by), None)


def dollars(micro: int) -> str:
    """An amount in words, without needless zeros: 152000 is "$0.152", 400000 is "$0.40"."""
    whole, rest = divmod(micro, MICRO)
    digits = f"{rest:06d}".rstrip("0")
    return f"${whole}.{digits:0<2}"
