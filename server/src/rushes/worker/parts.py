"""What an attempt works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rushes.artifacts.objects import Objects
from rushes.engines.engine import Busy, Engine
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
    on_busy: Callable[[str, Busy], Awaitable[None]]
    """Told the lane whose server takes nothing now, before the request goes back to the queue."""
    refuse: Callable[[str], None] = lambda _: None
    """Called with the engine's words when it cannot serve the model at all, before the request is handed back."""
