"""Maintenance: rescue, retention, orphans. It runs inside every `serve`; a lock per round lets one do the work.

The lock only saves work. Correctness comes from the conditional statements: two rescuers at once are harmless.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from rushes.artifacts.objects import Objects, StorageUnavailable
from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.files import Files
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.telemetry import logger

log = logger("maintenance")

ROUND_LOCK = 7_364_203
SWEEP_SECONDS = 60.0
"""How often retention is looked at."""
ORPHAN_SECONDS = 3600.0
ORPHAN_AGE = 86_400.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The figures of maintenance, in seconds."""

    every: float
    lease: float
    max_tries: int
    record_age: timedelta


class Maintenance:
    """The rounds. start, started and stop, in any order and any number of times."""

    def __init__(
        self,
        database: Database,
        requests: Requests,
        workers: Workers,
        files: Files,
        objects: Objects,
        clocks: Clocks,
        also: tuple[Callable[[], Awaitable[None]], ...] = (),
    ) -> None:
        self._database = database
        self._requests = requests
        self._workers = workers
        self._files = files
        self._objects = objects
        self._clocks = clocks
        self._also = also
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._rescue_from = 0.0
        self._sweep_at = self._orphans_at = 0.0

    @property
    def started(self) -> bool:
        return self._task is not None

    async def start(self) -> None:
        if self._task is None:
            self._wait_a_lease()
            self._orphans_at = time.monotonic() + ORPHAN_SECONDS
            self._task = asyncio.create_task(self._run(), name="maintenance")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """Sweep soon: something was purged."""
        self._sweep_at = 0.0
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._round()
            except DatabaseUnavailable as error:
                log.warning("round_failed", error=str(error))
                self._wait_a_lease()
            except StorageUnavailable as error:
                log.warning("sweep_failed", error=str(error))
            except Exception:  # a fault in one round must not end all rounds: without them nothing is rescued
                log.exception("round_failed")
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._clocks.every):
                    await self._wake.wait()

    def _wait_a_lease(self) -> None:
        """Rescue nothing until heartbeats could flow for one full lease since we, or PostgreSQL, came up."""
        self._rescue_from = time.monotonic() + self._clocks.lease

    async def _round(self) -> None:
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", ROUND_LOCK):
                return
            await self._rescue()
        for work in self._also:
            await work()
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
            await self._sweep()
        if time.monotonic() >= self._orphans_at:
            self._orphans_at = time.monotonic() + ORPHAN_SECONDS
            await self._sweep_orphans()

    async def _rescue(self) -> None:
        if time.monotonic() < self._rescue_from:
            return
        requeued, failed = await self._requests.rescue(self._clocks.max_tries)
        if requeued or failed:
            log.warning("rescued", requeued=requeued, failed=failed)

    async def _sweep(self) -> None:
        """Retention: artifacts, files, records, idempotency keys, qworkers long gone."""
        for path in await self._files.expire():
            await self._objects.delete(path)
        await self._requests.forget_old(self._clocks.record_age)
        await self._requests.forget_old_keys()
        await self._workers.forget_dead()

    async def _sweep_orphans(self) -> None:
        """Objects older than a day that no living row names: left by killed attempts and uploads never claimed."""
        limit = time.time() - ORPHAN_AGE
        old: list[str] = []
        for prefix in ("artifacts", "files"):
            old += [path async for path, written in self._objects.paths(prefix) if written < limit]
        for start in range(0, len(old), 500):
            batch = old[start : start + 500]
            known = await self._files.known(batch)
            for path in batch:
                if path not in known:
                    await self._objects.delete(path)
        await self._objects.sweep_half_written(limit)
