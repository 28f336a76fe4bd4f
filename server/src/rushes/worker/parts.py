"""What an attempt works with."""

from dataclasses import dataclass

from rushes.artifacts.objects import Objects
from rushes.engines.engine import Engine
from rushes.worker.child import EngineChild
from rushes.worker.fetch import Fetch
from rushes.worker.policy import Policy
from rushes.worker.queue_port import Queue
from rushes.worker.turns import Turn


@dataclass(slots=True)
class Parts:
    """The queue, the object store, the inputs' way in, the engine, its process, a turn at it, the figures to obey."""

    queue: Queue
    objects: Objects
    fetch: Fetch
    engine: Engine
    child: EngineChild
    policy: Policy
    turn: Turn
