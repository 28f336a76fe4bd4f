"""Waiting for a request to change, and its cached record: both live on NOTIFY and fall back to reading again.

A notification says which request changed and the status it took: who waits for the end need not read what is between.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from rushes.domain.request import FINAL, Status
from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.store.requests import Requests

UNFINISHED_SECONDS = 0.5
"""How long an unfinished record is believed: progress writes are not notified."""
MAX_CACHED = 20_000
UNDER_WAY = frozenset(status.value for status in Status if status not in FINAL)
FALLBACK_SECONDS = 2.0
"""How often a waiter reads by itself, in case a notification was lost."""


class Watch:
    """Reads of single requests through a cache, and waits for their next change."""

    def __init__(self, requests: Requests, listener: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests = requests
        self._listener = listener
        self._clock = clock
        self._cached: dict[tuple[UUID, UUID], tuple[float, Request]] = {}
        self._keys: dict[UUID, tuple[UUID, UUID]] = {}
        self._reading: dict[UUID, int] = {}
        self._stale: set[UUID] = set()
        self._waiters: dict[UUID, set[Subscription]] = {}
        self._closed = False
        listener.on("rushes_request", self._changed)
        listener.on_lost(self.flush)

    async def get(self, org_id: UUID, request_id: UUID) -> Request | None:
        """One request of an organisation. At most half a second old while it is unfinished and NOTIFY works."""
        cached = self._cached.get((org_id, request_id))
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        self._reading[request_id] = self._reading.get(request_id, 0) + 1
        try:
            request = await self._requests.get(org_id, request_id)
        finally:
            self._reading[request_id] -= 1
            fresh = request_id not in self._stale
            if not self._reading[request_id]:
                del self._reading[request_id]
                self._stale.discard(request_id)
        if request is not None and fresh and self._listener.connected.is_set():
            self._keep(request)
        return request

    def put(self, request: Request) -> None:
        """Keep what this process has just written."""
        self._changed(str(request.request_id))

    def forget(self, request_id: UUID) -> None:
        """This process has just changed it."""
        self._changed(str(request_id))

    async def final(self, org_id: UUID, request_id: UUID, seconds: float) -> Request | None:
        """The request as soon as its status is final, else as it is after `seconds`."""
        deadline = self._clock() + seconds
        while True:
            with self.subscribed(request_id, for_the_end=True) as changed:
                request = await self.get(org_id, request_id)
                left = deadline - self._clock()
                if request is None or request.final or left <= 0 or self._closed:
                    return request
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, FALLBACK_SECONDS)):
                        await changed.wait()

    def subscribed(self, request_id: UUID, *, for_the_end: bool = False) -> "Subscription":
        """An event that is set at the next change, or at the one `for_the_end`; subscribe before reading, so that
        none is missed."""
        return Subscription(self._waiters, request_id, for_the_end)

    def flush(self) -> None:
        """Forget everything: notifications may have been missed."""
        self._cached.clear()
        self._keys.clear()
        self._stale.update(self._reading)
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.changed.set()

    def close(self) -> None:
        """Nobody waits any longer, now or later: the process is about to stop."""
        self._closed = True
        self.flush()

    def _keep(self, request: Request) -> None:
        if len(self._cached) >= MAX_CACHED:
            self._cached.clear()
            self._keys.clear()
        until = float("inf") if request.final else self._clock() + UNFINISHED_SECONDS
        key = (request.org_id, request.request_id)
        self._cached[key] = (until, request)
        self._keys[request.request_id] = key

    def _changed(self, payload: str) -> None:
        """`payload`: an id, and the status if it is known."""
        text, _, status = payload.partition(" ")
        request_id = UUID(text)
        if request_id in self._reading:
            self._stale.add(request_id)
        key = self._keys.pop(request_id, None)
        if key is not None:
            self._cached.pop(key, None)
        for waiter in self._waiters.get(request_id, ()):
            if not (waiter.for_the_end and status in UNDER_WAY):
                waiter.changed.set()


class Subscription:
    """A context that holds one waiter's event."""

    def __init__(self, waiters: dict[UUID, set["Subscription"]], request_id: UUID, for_the_end: bool) -> None:
        self._waiters = waiters
        self._request_id = request_id
        self.for_the_end = for_the_end
        self.changed = asyncio.Event()

    def __enter__(self) -> asyncio.Event:
        self._waiters.setdefault(self._request_id, set()).add(self)
        return self.changed

    def __exit__(self, *_: object) -> None:
        mine = self._waiters[self._request_id]
        mine.discard(self)
        if not mine:
            del self._waiters[self._request_id]
