"""Engines are found by entry point, so users add their own without forking."""

from importlib.metadata import entry_points

from rushes.engines.engine import Engine

GROUP = "rushes.engines"


class UnknownEngine(Exception):
    """A card or a setting names an engine that is not installed."""


class Engines:
    """The installed engines by name, each made on first use."""

    def __init__(self) -> None:
        self._found = {entry.name: entry for entry in entry_points(group=GROUP)}
        self._made: dict[str, Engine] = {}

    @property
    def names(self) -> list[str]:
        return sorted(self._found)

    def get(self, name: str) -> Engine:
        """Raises UnknownEngine, naming those there are."""
        if name not in self._made:
            if name not in self._found:
                raise UnknownEngine(f"No engine {name!r} is installed; there are {', '.join(self.names)}")
            self._made[name] = self._found[name].load()()
        return self._made[name]
