"""Leases are renewed on a thread and a connection of their own: a busy loop or a slow query must not cost a lease."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.telemetry import logger

log = logger("heartbeat")


@dataclass(frozen=True, slots=True)
class Beat:
    """What to say at a heartbeat."""

    held: list[tuple[UUID, int]]
    draining: bool


class Heartbeat:
    """Renews all leases of a qworker in one statement. start, started and stop, in any order.

    `beat` and `lost` are called in the heartbeat's thread: what to renew, and the requests that are no longer ours.
    """

    def __init__(
        self,
        dsn: str,
        qworker_id: UUID,
        *,
        lease: timedelta,
        every: float,
        beat: Callable[[], Beat],
        lost: Callable[[set[UUID]], None],
    ) -> None:
        self._dsn = dsn
        self._qworker_id = qworker_id
        self._lease = lease
        self._every = every
        self._beat = beat
        self._lost = lost
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="heartbeat", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join(10)

    async def _run(self) -> None:
        database = Database(self._dsn, size=1)
        requests, workers = Requests(database, keep_seconds=0), Workers(database)
        while not self._stop.is_set():
            try:
                await database.start()
                await self._once(requests, workers)
            except DatabaseUnavailable as error:
                log.warning("heartbeat_failed", error=str(error))
            self._stop.wait(self._every)
        await database.stop()

    async def _once(self, requests: Requests, workers: Workers) -> None:
        beat = self._beat()
        if beat.held:
            kept = await requests.renew(beat.held, self._lease)
            gone = {request_id for request_id, _ in beat.held} - kept
            if gone:
                self._lost(gone)
        await workers.seen(self._qworker_id, busy=len(beat.held), draining=beat.draining)
