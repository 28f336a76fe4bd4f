"""Reading a cleaned payload by role, for every engine's `normalise`. Pure; every fault is reported at once."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.model_card import ModelCard, Role
from rushes.engines.engine import InvalidInput

MAX_SECONDS = 600.0
_ON = ("on", "yes", "true", "1")
_OFF = ("off", "no", "false", "0", "")


@dataclass(slots=True)
class Reading:
    """A card, a payload, and the faults and notes found on the way."""

    card: ModelCard
    params: Mapping[str, Any]
    faults: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    notes: list[str] = field(default_factory=list[str])

    def value(self, role: Role) -> Any:
        return self.card.value(self.params, role)

    def name(self, role: Role) -> str:
        parameter = self.card.by_role(role)
        return parameter.name if parameter else role

    def fault(self, role: Role, text: str) -> None:
        self.faults.append((self.name(role), text))

    def text(self, role: Role) -> str:
        value = self.value(role)
        return "" if value is None else str(value)

    def seconds(self, default: float, most: float = MAX_SECONDS) -> float:
        """The length that is asked for, written as 5, "5" or "5s"."""
        value = self.value("duration")
        if value is None:
            return default
        found = re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,6})?)\s*(?:s|sec|secs|seconds?)?\s*", str(value).lower())
        seconds = float(found[1]) if found and not isinstance(value, bool) else math.nan
        if not 0 < seconds <= most:
            self.fault("duration", f"must be above 0 and at most {most:g} seconds")
            return default
        return seconds

    def seed(self, drawn: int) -> int:
        """The payload's seed in 63 bits; None, an empty text and -1 mean the drawn one."""
        value = self.value("seed")
        if value is None or str(value).strip() in ("", "-1", "-1.0"):
            return drawn
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not re.fullmatch(r"\s*\d{1,40}\s*", str(value)):
            self.fault("seed", "must be a whole number of at least 0, or -1 for any")
            return drawn
        return int(value) & (2**63 - 1)

    def switch(self, role: Role) -> bool:
        """Whether a switch is on; one that is not given is off."""
        word = self.text(role).strip().lower()
        if word not in _ON + _OFF:
            self.fault(role, "must be true or false (on or off, yes or no)")
        return word in _ON

    def number(self, role: Role, low: float, high: float) -> float | None:
        """A plain number within limits, None if it is not given."""
        value = self.value(role)
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high:
            self.fault(role, f"must be between {low:g} and {high:g}")
            return None
        return number

    def settle(self) -> None:
        """Raises InvalidInput naming every fault."""
        if self.faults:
            text = "; ".join(f"{name} {fault}" for name, fault in self.faults)
            raise InvalidInput(text, field=self.faults[0][0])


def first_reference(value: Any) -> str | None:
    """The reference that a media value holds: itself, or the first of a list."""
    if isinstance(value, (list, tuple)):
        value = next(iter(value), None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return value if isinstance(value, str) and value else None
