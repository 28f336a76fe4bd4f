"""The lanes of qworkers alive: how weights that some worker has loaded become known without any configuration."""

import time
from collections.abc import Callable

from rushes.store.workers import Workers

BELIEVED_SECONDS = 2.0


class LiveLanes:
    """Read from the table of qworkers every two seconds at most."""

    def __init__(self, workers: Workers, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._clock = clock
        self._read_at = float("-inf")
        self._lanes: frozenset[str] = frozenset()

    async def lanes(self) -> frozenset[str]:
        """The lanes that somebody alive serves."""
        if self._clock() - self._read_at >= BELIEVED_SECONDS:
            self._read_at = self._clock()
            self._lanes = frozenset(lane for worker in await self._workers.alive() for lane in worker["lanes"])
        return self._lanes
