"""From an engine's phases to one number that never falls, and the times at which stages began."""

import time
from collections.abc import Callable
from typing import Any

# Where each phase begins and ends, in percent; the rest is encoding and uploading (ENGINES.md section 5, rule 7).
_SPANS = {"loading": (0, 2), "text": (2, 4), "denoise": (4, 82), "decode": (82, 94), "generating": (2, 94)}
_REMOTE = {"waiting": (2, 10), "running": (10, 94)}
_ORDER = ("loading", "generating", "encoding", "uploading")
HIGHEST = 99
"""Until the artifact is durable."""


class Progress:
    """The progress of one attempt. `take` is called in the slot's thread, the rest in the event loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.percent = 0
        self.stage = "loading"
        self.stages: list[dict[str, Any]] = []

    def take(self, phase: str, done: float, total: float) -> None:
        """Note that an engine is `done` of `total` into a phase."""
        start, end = _SPANS.get(phase) or _REMOTE.get(phase) or _SPANS["generating"]
        share = min(1.0, max(0.0, done / total)) if total > 0 else 0.0
        self.percent = min(HIGHEST, max(self.percent, int(start + (end - start) * share)))
        self.enter("loading" if phase == "loading" else "generating")

    def enter(self, stage: str, percent: int = 0) -> None:
        """Note that a stage began; stages only go forward, though an engine may speak after its last frame."""
        self.percent = min(HIGHEST, max(self.percent, percent))
        if self.stages and _ORDER.index(stage) <= _ORDER.index(self.stage):
            return
        self.stages.append({"stage": stage, "at": round(self._clock(), 3)})
        self.stage = stage
