"""Wakes whoever follows an organisation: one look at the database for all of them, however many they are."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID

from rushes.store.database import DatabaseUnavailable
from rushes.store.event_log import EventLog, Snapshot
from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.telemetry import logger

log = logger("pulse")

PROGRESS_SECONDS = 0.5
"""How often progress is read, which nobody notifies; also the safety net for lost notifications."""
REST_SECONDS = 0.05
"""At least so long between two looks, however much happens."""


@dataclass(slots=True, eq=False)
class Follower:
    """One reader's place at the pulse. `stirred` is set when there is something to look at: events, where `news` says
    so, or the progress of what runs."""

    org_id: UUID
    pulse: "OrgPulse"
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    news: bool = False
    running: dict[UUID, Request] = field(default_factory=dict[UUID, Request])

    def __enter__(self) -> Self:
        self.pulse.join(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.pulse.leave(self)


class OrgPulse:
    """Looks while somebody follows, and rests when nobody does. stop may come before any start, and twice."""

    def __init__(self, events: EventLog, listener: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self._events = events
        self._clock = clock
        self._followers: dict[UUID, set[Follower]] = {}
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        listener.on("rushes_request", lambda _: self._something.set())
        listener.on_lost(self._something.set)

    def following(self, org_id: UUID) -> Follower:
        """A context in which the organisation is followed."""
        return Follower(org_id, self)

    def count(self, org_id: UUID) -> int:
        """How many follow an organisation in this process."""
        return len(self._followers.get(org_id, ()))

    def join(self, follower: Follower) -> None:
        self._followers.setdefault(follower.org_id, set()).add(follower)
        if self._task is None and not self._stopped:
            self._task = asyncio.create_task(self._beat(), name="pulse of organisations")

    def leave(self, follower: Follower) -> None:
        others = self._followers[follower.org_id]
        others.discard(follower)
        if not others:
            del self._followers[follower.org_id]
        if not self._followers and self._task is not None:
            self._task.cancel()
            self._task = None

    def stop(self) -> None:
        """Wake every follower for the last time."""
        self._stopped = True
        self._wake(set(self._followers))
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _beat(self) -> None:
        seen: Snapshot | None = None
        progress_at = float("-inf")
        while True:
            self._something.clear()
            try:
                seen = await self._look(seen)
                if self._clock() >= progress_at:
                    progress_at = self._clock() + PROGRESS_SECONDS
                    await self._look_at_progress()
            except DatabaseUnavailable as error:
                log.warning("pulse_failed", error=str(error))
                await asyncio.sleep(PROGRESS_SECONDS)
            await asyncio.sleep(REST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, progress_at - self._clock())):
                    await self._something.wait()

    async def _look(self, seen: Snapshot | None) -> Snapshot:
        """Wake the followers of organisations with events since `seen`.

        Whoever joins later than the snapshot was taken takes one of their own, which shows all that this one does.
        """
        now = await self._events.snapshot()
        orgs = list(self._followers)
        self._wake(set(orgs) if seen is None else await self._events.stirred(orgs, seen))
        return now

    async def _look_at_progress(self) -> None:
        found: dict[UUID, dict[UUID, Request]] = {}
        for request in await self._events.running(list(self._followers)):
            found.setdefault(request.org_id, {})[request.request_id] = request
        for org_id, followers in self._followers.items():
            running = found.get(org_id, {})
            for follower in followers:
                if running or follower.running:
                    follower.running = running
                    follower.stirred.set()

    def _wake(self, orgs: set[UUID]) -> None:
        for org_id in orgs:
            for follower in self._followers.get(org_id, ()):
                follower.news = True
                follower.stirred.set()
