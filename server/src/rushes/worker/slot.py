"""A slot of a qworker: the place of one engine at a time. Its engine children stay warm between attempts."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rushes.worker.child import EngineChild
from rushes.worker.turns import Turns


class Slot:
    """One child for each engine that was wanted here, and the turns attempts take."""

    def __init__(
        self, number: int, environment: Mapping[str, str], logs: Path | None, on_room: Callable[[], None]
    ) -> None:
        self.number = number
        self.turns = Turns(on_room)
        self._environment = environment
        self._logs = logs
        self._children: dict[str, EngineChild] = {}

    def child(self, engine: str) -> EngineChild:
        if engine not in self._children:
            log_file = self._logs / f"engine-{engine}-{self.number}.log" if self._logs else None
            self._children[engine] = EngineChild(engine, self._environment, log_file)
        return self._children[engine]

    def kill(self) -> None:
        """End every child for certain."""
        for child in self._children.values():
            child.kill()
