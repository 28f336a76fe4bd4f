"""Typed access to the mapping of a card file, gathering what is wrong instead of stopping at the first fault."""

from collections.abc import Callable
from typing import Any, TypeVar

from rushes.catalog.yaml_tree import CardFault, Node

T = TypeVar("T")


class Fields:
    """One mapping of a card file. Each field is asked for once; `finish` reports those nobody asked for."""

    def __init__(self, node: Node, file: str, faults: list[CardFault], what: str) -> None:
        self.node = node
        self.file = file
        self.faults = faults
        self.what = what
        self.asked: set[str] = set()
        if node.mapping is None:
            self.fault(node.line, f"{what} must be a mapping of names to values")
        self.mapping: dict[str, Node] = node.mapping or {}

    def fault(self, line: int, reason: str) -> None:
        self.faults.append(CardFault(self.file, line, reason))

    def line(self, name: str) -> int:
        """The line of a field, or of the mapping if it has no such field."""
        return self.node.lines.get(name) or (self.mapping[name].line if name in self.mapping else self.node.line)

    def get(self, name: str) -> Node | None:
        """The field's node, or None if it is missing or null."""
        self.asked.add(name)
        node = self.mapping.get(name)
        return None if node is None or node.value is None else node

    def text(self, name: str, default: str | None = None) -> str:
        """A text; a missing one without default is a fault."""
        return self._typed(name, default, "a text", lambda value: isinstance(value, str) and bool(value.strip()), "")

    def flag(self, name: str) -> bool:
        return self._typed(name, False, "true or false", lambda value: isinstance(value, bool), False)

    def integer(self, name: str, default: int | None = None, least: int = 0) -> int | None:
        """A whole number of at least `least`."""
        node = self.get(name)
        if node is None:
            return default
        if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < least:
            self.fault(self.line(name), f"{name} must be a whole number of at least {least}")
            return default
        return node.value

    def number(self, name: str) -> float | None:
        """A finite number; whole ones stay integers."""
        node = self.get(name)
        if node is None:
            return None
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            self.fault(self.line(name), f"{name} must be a number")
            return None
        return node.value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty if missing."""
        return tuple(str(value) for value in self.scalars(name, texts_only=True))

    def scalars(self, name: str, *, texts_only: bool = False) -> tuple[str | int | float, ...]:
        """A list of texts and numbers, empty if missing."""
        node = self.get(name)
        if node is None:
            return ()
        wanted = str if texts_only else (str | int | float)
        values: list[str | int | float] = []
        for item in node.items or ():
            if isinstance(item.value, bool) or not isinstance(item.value, wanted):
                self.fault(item.line, f"{name} must hold {'texts' if texts_only else 'texts and numbers'} only")
            else:
                values.append(item.value)
        if node.items is None:
            self.fault(self.line(name), f"{name} must be a list")
        return tuple(values)

    def nodes(self, name: str) -> list[Node]:
        """The nodes of a list, empty if missing."""
        node = self.get(name)
        if node is None:
            return []
        if node.items is None:
            self.fault(self.line(name), f"{name} must be a list")
        return node.items or []

    def finish(self) -> None:
        """Report every field that nobody asked for."""
        for name in self.mapping:
            if name not in self.asked:
                known = ", ".join(sorted(self.asked))
                self.fault(self.line(name), f"{name} is not known in {self.what}; known are {known}")

    def _typed(self, name: str, default: T | None, wanted: str, fits: Callable[[Any], bool], stand_in: T) -> T:
        node = self.get(name)
        if node is None:
            if default is None:
                self.fault(self.node.line, f"{self.what} needs {name}, {wanted}")
            return stand_in if default is None else default
        if not fits(node.value):
            self.fault(self.line(name), f"{name} must be {wanted}")
            return stand_in
        return node.value
