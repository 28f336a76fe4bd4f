"""Leases are renewed on a thread and a connection of their own: a busy loop or a slow query must not cost a lease."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from rushes.store.database import Database
from rushes.store.requests import Requests
from rushes.store.workers import Order, Workers
from rushes.telemetry import logger

log = logger("heartbeat")

AGAIN_SECONDS = 1.0
"""After a failed heartbeat, the next: a lease has room for few of them."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What to say at a heartbeat."""

    held: list[tuple[UUID, int]]
    draining: bool
    busy: int = 0
    """Slots whose engine is taken; leases are also held by attempts before and behind it."""
    loaded: list[str] = field(default_factory=list[str])
    memory_bytes: int | None = None


class Heartbeat:
    """Renews all leases of a qworker in one statement. start, started and stop, in any order.

    `beat`, `lost` and `told` are called in the heartbeat's thread: what to renew, the attempts that are no longer ours,
    and what an operator has ordered.
    While PostgreSQL is away nothing is lost, until that has lasted for `outage_grace` seconds.
    """

    def __init__(
        self,
        dsn: str,
        qworker_id: UUID,
        *,
        lease: timedelta,
        every: float,
        outage_grace: float,
        beat: Callable[[], Beat],
        lost: Callable[[set[tuple[UUID, int]]], None],
        told: Callable[[Order], None] = lambda _: None,
    ) -> None:
        self._dsn = dsn
        self._qworker_id = qworker_id
        self._lease = lease
        self._every = every
        self._outage_grace = outage_grace
        self._beat = beat
        self._lost = lost
        self._told = told
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._renewed_at = 0.0

    @property
    def started(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        if self._thread is None:
            self._stop.clear()
            self._renewed_at = time.monotonic()
            self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="heartbeat", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join(10)

    async def _run(self) -> None:
        database = Database(self._dsn, size=1, plan_once=True)
        requests, workers = Requests(database, keep_seconds=0), Workers(database)
        while not self._stop.is_set():
            beat = self._beat()
            try:
                await database.start()
                await self._renew(beat, requests, workers)
            except Exception as error:  # a thread that died of one bad beat would lose every lease
                log.warning("heartbeat_failed", error=str(error) or type(error).__name__)
                self._give_up(beat)
                self._stop.wait(min(self._every, AGAIN_SECONDS))
            else:
                self._renewed_at = time.monotonic()
                self._stop.wait(self._every)
        await database.stop()

    async def _renew(self, beat: Beat, requests: Requests, workers: Workers) -> None:
        if beat.held:
            gone = set(beat.held) - await requests.renew(beat.held, self._lease)
            if gone:
                self._lost(gone)
        order = await workers.seen(
            self._qworker_id,
            busy=beat.busy,
            draining=beat.draining,
            loaded=beat.loaded,
            memory_bytes=beat.memory_bytes,
        )
        self._told(order)

    def _give_up(self, beat: Beat) -> None:
        """An outage this long has surely cost us our leases: work that nobody will take need not go on."""
        if beat.held and time.monotonic() - self._renewed_at > self._outage_grace:
            self._lost(set(beat.held))
