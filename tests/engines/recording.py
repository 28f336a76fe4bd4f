"""A control that notes what an engine reports, and cancels when it is told to."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rushes.engines.engine import Cancelled

Report = tuple[str, float, float]


class RecordingControl:
    """`cancel_when` looks at each report; from then on every call raises, as it does in a child."""

    remembered: str | None = None

    def __init__(self, scratch: Path, cancel_when: Callable[[Report], bool] = lambda _: False) -> None:
        self.scratch = scratch
        self.reports: list[Report] = []
        self.checks = 0
        self.cancelled = False
        self._cancel_when = cancel_when

    def progress(self, phase: str, done: float, total: float) -> None:
        self.check()
        self.reports.append((phase, done, total))
        self.cancelled |= self._cancel_when(self.reports[-1])
        self.check()

    def check(self) -> None:
        self.checks += 1
        if self.cancelled:
            raise Cancelled

    def remember(self, ref: str) -> None:
        raise AssertionError("a local engine remembers nothing")

    def of(self, phase: str) -> list[tuple[float, float]]:
        """done and total of one phase, in order."""
        return [(done, total) for name, done, total in self.reports if name == phase]


def digest(frames: Iterable["np.ndarray[Any, Any]"]) -> str:
    seen = hashlib.sha256()
    for frame in frames:
        seen.update(frame.tobytes())
    return seen.hexdigest()
