"""Charges by day as an SVG of stacked bars, one colour a model. Days of nothing are drawn; money stays whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

WIDTH: Final = 1000.0
HEIGHT: Final = 240.0
COLOURS: Final = 6
"""Models with a colour of their own; those that cost least share the last."""
OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Piece:
    """One model's part of a day."""

    model: str
    colour: int
    y: float
    height: float
    micro: int


@dataclass(frozen=True, slots=True)
class Day:
    """One bar."""

    day: str
    x: float
    width: float
    micro: int
    requests: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws: bars, the models of the colours in order, and the charge the top line stands for."""

    days: Sequence[Day]
    models: Sequence[str]
    top_micro: int


def usage_chart(rows: Sequence[Mapping[str, Any]], first: date, last: date) -> Chart:
    """A bar for each day from `first` to `last`; `rows` have day, model, requests and charge_micro_usd."""
    spent: dict[str, int] = {}
    by_day: dict[str, dict[str, int]] = {}
    made: dict[str, int] = {}
    for row in rows:
        day, model, micro = str(row["day"]), str(row["model"]), int(row["charge_micro_usd"])
        spent[model] = spent.get(model, 0) + micro
        made[day] = made.get(day, 0) + int(row["requests"])
        models = by_day.setdefault(day, {})
        models[model] = models.get(model, 0) + micro
    ranked = sorted(spent, key=lambda model: (-spent[model], model))
    names = ranked if len(ranked) <= COLOURS else [*ranked[: COLOURS - 1], OTHERS]
    top = _round_up(max((sum(models.values()) for models in by_day.values()), default=0))
    count = (last - first).days + 1
    step = WIDTH / count
    days: list[Day] = []
    for index in range(count):
        day = (first + timedelta(days=index)).isoformat()
        charges = by_day.get(day, {})
        pieces = _pieces(charges, names, top)
        total, requests = sum(charges.values()), made.get(day, 0)
        days.append(Day(day, round(index * step, 2), round(step * 0.82, 2), total, requests, pieces))
    return Chart(days, names, top)


def _pieces(charges: Mapping[str, int], names: Sequence[str], top: int) -> list[Piece]:
    merged: dict[str, int] = {}
    for model, micro in charges.items():
        name = model if model in names else OTHERS
        merged[name] = merged.get(name, 0) + micro
    pieces: list[Piece] = []
    y = HEIGHT
    for colour, name in enumerate(names):
        micro = merged.get(name, 0)
        if micro:
            height = micro / top * HEIGHT
            y -= height
            pieces.append(Piece(name, colour, round(y, 2), round(height, 2), micro))
    return pieces


def _round_up(micro: int) -> int:
    """The next of 1, 2 or 5 times a power of ten, so that the scale reads well; at least a cent."""
    unit = 10_000
    while True:
        for factor in (1, 2, 5):
            if micro <= factor * unit:
                return factor * unit
        unit *= 10
