"""Who waits in which lane, as read at most half a second ago: places in the line without a query for each question."""

import asyncio
import time
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.store.requests import Requests

BELIEVED_SECONDS = 0.5
LONGEST = 10_000
"""Places behind this one are counted by the database."""

Key: TypeAlias = tuple[int, float, UUID]
"""Sorts as the claim does."""


@dataclass(slots=True)
class _Line:
    keys: list[Key]
    places: dict[UUID, Key]
    until: float


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
        if line is not None and self._clock() < line.until:
            return line
        if lane not in self._reading:  # one read for all who ask at once
            reading = asyncio.create_task(self._read(lane), name=f"line of {lane}")
            reading.add_done_callback(lambda _: self._reading.pop(lane))
            self._reading[lane] = reading
        return await asyncio.shield(self._reading[lane])

    async def _read(self, lane: str) -> _Line:
        keys = await self._requests.line(lane, LONGEST)
        line = _Line(keys, {key[2]: key for key in keys}, self._clock() + BELIEVED_SECONDS)
        self._lines[lane] = line
        return line

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
