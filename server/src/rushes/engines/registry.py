"""Engines are found by entry point, so users add their own without forking."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rushes.engines.engine import Engine
from rushes.engines.options import EngineOptions, Setup

GROUP = "rushes.engines"


class UnknownEngine(Exception):
    """A card or a setting names an engine that is not installed."""


class Engines:
    """The installed engines by name; those that take no options are made once, on first use."""

    def __init__(self, found: Iterable[EntryPoint] | None = None) -> None:
        """`found`: the entry points to choose from, those of the installed packages unless given."""
        self._found = {entry.name: entry for entry in (entry_points(group=GROUP) if found is None else found)}
        self._made: dict[str, Engine] = {}

    @property
    def names(self) -> list[str]:
        return sorted(self._found)

    def get(self, name: str) -> Engine:
        """The engine as it is without a table in engines.toml. Raises UnknownEngine, naming those there are."""
        if name not in self._made:
            self._made[name] = self.configured(name, Setup(name))
        return self._made[name]

    def options_of(self, name: str) -> type[EngineOptions]:
        """What a table for this engine may hold. Raises UnknownEngine."""
        return getattr(self._class(name), "Options", EngineOptions)

    def configured(self, name: str, setup: Setup) -> Engine:
        """A new engine as an operator has set it up. Raises UnknownEngine."""
        made = self._class(name)
        return made(setup) if hasattr(made, "Options") else made()

    def _class(self, name: str) -> Any:
        if name not in self._found:
            raise UnknownEngine(f"No engine {name!r} is installed; there are {', '.join(self.names)}")
        return self._found[name].load()
