"""A slot of a qworker: the place of one engine at a time. Its engine children stay warm between attempts."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rushes.engines.engine import SLOT_VARIABLE
from rushes.engines.lanes import label_of, model_of
from rushes.engines.routing import Routing
from rushes.worker.child import SETUP_VARIABLE, EngineChild
from rushes.worker.load_ahead import MODEL_VARIABLE
from rushes.worker.turns import Turns


class Slot:
    """One child for each engine that was wanted here, and the turns attempts take."""

    def __init__(
        self,
        number: int,
        routing: Routing,
        environment: Mapping[str, str],
        logs: Path | None,
        on_room: Callable[[], None],
    ) -> None:
        self.number = number
        self.turns = Turns(on_room)
        self._routing = routing
        self._environment = environment
        self._logs = logs
        self._children: dict[str, EngineChild] = {}

    def child(self, lane: str) -> EngineChild:
        """The child of the engine, set up as the table says, that serves a lane."""
        label = label_of(lane)
        if label not in self._children:
            log_file = self._logs / f"engine-{label.replace(':', '-')}-{self.number}.log" if self._logs else None
            engine, setup = self._routing.setup(label)
            # An engine with weights loads the model that it is first wanted for before anybody waits for it.
            own = {SETUP_VARIABLE: setup.as_json(), SLOT_VARIABLE: str(self.number), MODEL_VARIABLE: model_of(lane)}
            self._children[label] = EngineChild(engine, {**self._environment, **own}, log_file)
        return self._children[label]

    def loaded(self) -> set[tuple[str, str]]:
        """What the children hold in memory: label of the engine, and model."""
        return {(label, model) for label, child in self._children.items() for model in child.loaded}

    def pids(self) -> list[int]:
        return [child.pid for child in self._children.values() if child.pid is not None]

    def kill(self) -> None:
        """End every child for certain."""
        for child in self._children.values():
            child.kill()
