"""Who waits in which lane, as read a moment ago: places in the line without a query for each question."""

import asyncio
import math
import time
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.store.requests import Requests

FRESH_SECONDS = 0.5
"""After this a line that is asked for is read again, and answers meanwhile: a long one takes tens of milliseconds."""
BELIEVED_SECONDS = 2.0
"""After this nobody is told of it any more."""
LONGEST = 10_000
"""Places behind this one are counted by the database."""

Key: TypeAlias = tuple[int, float, UUID]
"""Sorts as the claim does."""


@dataclass(slots=True)
class _Line:
    keys: list[Key]
    places: dict[UUID, Key]
    read_at: float


class Lines:
    """The lines of all lanes. Between two reads, claims heard of and this process's own submits are accounted for."""

    def __init__(self, requests: Requests, listener: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests = requests
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._reading: dict[str, asyncio.Task[_Line]] = {}
        listener.on("rushes_request", self._left)
        listener.on_lost(self._forget)

    async def position(self, request: Request) -> int | None:
        """Requests ahead in claim order; None unless queued."""
        if request.status != "queued":
            return None
        line = await self._line(request.lane)
        ahead = bisect_left(line.keys, _key(request))
        return ahead if ahead < LONGEST else await self._requests.position(request.request_id)

    def joined(self, request: Request) -> None:
        """This process has just put a request into the queue."""
        line = self._lines.get(request.lane)
        if line is not None and request.request_id not in line.places:
            key = _key(request)
            insort(line.keys, key)
            line.places[request.request_id] = key

    async def _line(self, lane: str) -> _Line:
        line = self._lines.get(lane)
        age = math.inf if line is None else self._clock() - line.read_at
        if age >= FRESH_SECONDS and lane not in self._reading:  # one read for all who ask at once
            reading = asyncio.create_task(self._read(lane), name=f"line of {lane}")
            reading.add_done_callback(lambda done: self._has_read(lane, done))
            self._reading[lane] = reading
        if line is not None and age < BELIEVED_SECONDS:
            return line
        return await asyncio.shield(self._reading[lane])

    async def _read(self, lane: str) -> _Line:
        read_at = self._clock()
        keys = await self._requests.line(lane, LONGEST)
        line = _Line(keys, {key[2]: key for key in keys}, read_at)
        self._lines[lane] = line
        return line

    def _has_read(self, lane: str, reading: "asyncio.Task[_Line]") -> None:
        del self._reading[lane]
        if not reading.cancelled():
            reading.exception()  # told to who waits for it; where nobody does, the next to ask reads again

    def _left(self, payload: str) -> None:
        """Something happened to a request; if it was waiting, it was claimed or has ended."""
        request_id = UUID(payload.partition(" ")[0])
        for line in self._lines.values():
            key = line.places.pop(request_id, None)
            if key is not None:
                del line.keys[bisect_left(line.keys, key)]
                return

    def _forget(self) -> None:
        self._lines.clear()


def _key(request: Request) -> Key:
    return (-request.priority, request.start_tag, request.request_id)
