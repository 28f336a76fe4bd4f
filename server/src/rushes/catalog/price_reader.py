"""A price of a card file or of the overrides file, read and checked."""

from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal, cast

from rushes.catalog.card_fields import Fields
from rushes.catalog.yaml_tree import CardFault, Node
from rushes.domain.model_card import Price
from rushes.domain.pricing import MICRO, dollars

UNITS: Final = ("second", "request", "image")
MAX_AMOUNT: Final = 1_000_000 * MICRO

Unit = Literal["second", "request", "image"]


def read_price(node: Node, file: str, faults: list[CardFault]) -> Price:
    """A price in dollars (`usd`, `table_usd`) or in micro-dollars (`amount`, `amounts`); faults are added."""
    fields = Fields(node, file, faults, "a price")
    unit = fields.text("unit", "second")
    if unit not in UNITS:
        fields.fault(fields.line("unit"), f"{unit} is not a unit; known are {', '.join(UNITS)}")
    amount = _amount(fields)
    by = fields.text("by", "")
    amounts = _table(fields)
    if (not by) != (not amounts):
        fields.fault(fields.node.line, "by and a table of amounts belong together")
    public = fields.flag("public")
    price = Price(
        amount=amount,
        unit=cast(Unit, unit),
        by=by or None,
        amounts=amounts,
        details=fields.text("details", ""),
        public=public,
        as_of=fields.text("as_of", ""),
        source=fields.text("source", ""),
    )
    if public and not (price.source and price.as_of):
        fields.fault(fields.line("public"), "a public price needs its source and as_of")
    fields.finish()
    return price if price.details else _with_details(price)


def _amount(fields: Fields) -> int:
    micro = fields.integer("amount")
    usd = fields.get("usd")
    if (micro is None) == (usd is None):
        fields.fault(fields.node.line, "a price needs either usd or amount, in micro-dollars")
        return 0
    return micro if micro is not None else _micro(usd, fields)


def _micro(node: Node | None, fields: Fields) -> int:
    """A dollar figure as micro-dollars, without passing through binary fractions."""
    value = node.value if node else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        fields.fault(node.line if node else 0, "a price in dollars must be a number")
        return 0
    micro = Decimal(str(value)) * MICRO
    if not micro.is_finite() or micro != micro.to_integral_value() or not 0 <= micro <= MAX_AMOUNT:
        fields.fault(node.line if node else 0, "a price must be whole micro-dollars between 0 and a million dollars")
        return 0
    return int(micro)


def _table(fields: Fields) -> dict[str, int]:
    usd, micro = fields.get("table_usd"), fields.get("amounts")
    table = usd or micro
    if table is None:
        return {}
    if table.mapping is None:
        fields.fault(table.line, "a price table maps values to amounts")
        return {}
    if usd:
        return {key: _micro(node, fields) for key, node in table.mapping.items()}
    amounts: dict[str, int] = {}
    for key, node in table.mapping.items():
        if isinstance(node.value, bool) or not isinstance(node.value, int) or not 0 <= node.value <= MAX_AMOUNT:
            fields.fault(node.line, "amounts must be whole micro-dollars")
        else:
            amounts[key] = node.value
    return amounts


def _with_details(price: Price) -> Price:
    listed = [f"{key}: {dollars(amount)}/{price.unit}" for key, amount in price.amounts.items()]
    return replace(price, details="; ".join(listed) or f"{dollars(price.amount)}/{price.unit}")
