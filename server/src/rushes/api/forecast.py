"""When a request will be done: from the history of its model, the requests ahead and the slots that serve its lane."""

import time
from collections.abc import Callable

from rushes.api.lines import Lines
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.workers import Workers

REFRESH_SECONDS = 5.0


class Forecast:
    """Positions and remaining seconds. History and workers are read again every five seconds at most."""

    def __init__(
        self, requests: Requests, workers: Workers, lines: Lines, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._requests = requests
        self._lines = lines
        self._workers = workers
        self._clock = clock
        self._read_at = float("-inf")
        self._medians: dict[str, float] = {}
        self._slots: dict[str, int] = {}
        self._hosts: dict[str, list[str]] = {}

    async def position(self, request: Request) -> int | None:
        """Requests ahead in claim order; None unless queued."""
        return await self._lines.position(request)

    def joined(self, request: Request) -> None:
        """This process has just put a request into the queue."""
        self._lines.joined(request)

    async def eta(self, request: Request, position: int | None, age: float) -> int | None:
        """Whole seconds until the request is final, None when there is no history. `age`: seconds since it started."""
        await self.refresh()
        median = self._medians.get(request.model)
        if median is None or request.final:
            return None
        if position is None:
            return max(1, round(median - age)) if request.started_at else max(1, round(median))
        rounds = position // max(1, self._slots.get(request.lane, 1)) + 1
        return max(1, round(rounds * median))

    async def refresh(self) -> None:
        if self._clock() - self._read_at < REFRESH_SECONDS:
            return
        self._read_at = self._clock()
        self._medians = await self._requests.median_seconds()
        self._slots, self._hosts = {}, {}
        for worker in await self._workers.alive():
            for lane in worker["lanes"]:
                self._slots[lane] = self._slots.get(lane, 0) + worker["slots"]
                self._hosts.setdefault(lane, []).append(worker["host"])

    @property
    def medians(self) -> dict[str, float]:
        """Median seconds from start to finish, by model."""
        return self._medians

    def slots(self, lane: str) -> int:
        """Slots of the qworkers alive that serve a lane."""
        return self._slots.get(lane, 0)

    def hosts(self, lane: str) -> list[str]:
        """Where a lane is served."""
        return sorted(set(self._hosts.get(lane, ())))
