"""Foresees from an engine's own progress that it will soon be free, so that its next request can be made ready."""

import time
from collections.abc import Callable

SOON_SECONDS = 5.0
"""What fetching and checking inputs may take; a request that is claimed so early does not wait for long."""
_ENGINE_ENDS, _ENOUGH = 94, 20
"""Percent: where the engine's part ends (worker/progress.py), and how much of it shows its pace."""


class Outlook:
    """The outlook of one run. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: tuple[float, int] | None = None
        self._told = False

    def soon(self, phase: str, percent: int) -> bool:
        """Take a report of progress. True once in a run: only decoding is left, or seconds at the pace so far."""
        if self._told or phase == "loading":
            return False
        if self._began is None:
            self._began = self._clock(), percent
        self._told = phase == "decode" or self._left(*self._began, percent) <= SOON_SECONDS
        return self._told

    def _left(self, began: float, first: int, percent: int) -> float:
        done = percent - first
        if done < _ENOUGH:
            return float("inf")
        return (self._clock() - began) * max(0, _ENGINE_ENDS - percent) / done
