"""Reads that many look at: one at a time, and what it gave is believed for two seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from rushes.store.database import Row
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.operate import Minute, Operate

T = TypeVar("T")
BELIEVED_SECONDS = 2.0


class Believed(Generic[T]):
    """The value of a read, not older than BELIEVED_SECONDS; those who ask while it is read wait for the same one."""

    def __init__(self, read: Callable[[], Awaitable[T]], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._known: tuple[float, T] | None = None
        self._reading: asyncio.Task[T] | None = None

    async def get(self) -> T:
        if self._known is not None and self._clock() < self._known[0]:
            return self._known[1]
        if self._reading is None:
            self._reading = asyncio.create_task(self._fetch())
        return await asyncio.shield(self._reading)

    def forget(self) -> None:
        """What is known is no longer so; a read that is under way may have been too early."""
        self._known = self._reading = None

    async def _fetch(self) -> T:
        mine = asyncio.current_task()
        try:
            # The time counts from before the read.
            until = self._clock() + BELIEVED_SECONDS
            value = await self._read()
            if self._reading is mine:
                self._known = (until, value)
            return value
        finally:
            if self._reading is mine:
                self._reading = None


class Live:
    """What is going on, for the routes of operators and for the records and models of everybody."""

    def __init__(self, operate: Operate, lanes: Lanes, listener: Listener) -> None:
        self.overview: Believed[Row] = Believed(operate.overview)
        self.queue: Believed[list[Row]] = Believed(operate.queue)
        self.qworkers: Believed[list[Row]] = Believed(operate.qworkers)
        self.lanes: Believed[list[Row]] = Believed(lanes.all)
        self.hour: Believed[list[Minute]] = Believed(lambda: operate.series(60))
        self.day: Believed[list[Minute]] = Believed(lambda: operate.series(24 * 60))
        self._held: Believed[list[Row]] = Believed(lanes.held)
        listener.on("rushes_lane", lambda _: self.changed())
        listener.on("rushes_qworker", lambda _: self.changed())

    def changed(self) -> None:
        """A lane or a qworker was told something."""
        for believed in (self.overview, self.qworkers, self.lanes, self._held):
            believed.forget()

    async def held(self, lane: str) -> Row | None:
        """Why a lane is held: cause, said, since; None if it is not."""
        return next((row for row in await self._held.get() if row["lane"] == lane), None)

    async def load(self) -> dict[str, tuple[int, int]]:
        """For each model with work: (queued, running)."""
        sums: dict[str, tuple[int, int]] = {}
        for row in await self.queue.get():
            queued, running = sums.get(row["model"], (0, 0))
            sums[row["model"]] = queued + row["queued"], running + row["running"]
        return sums
