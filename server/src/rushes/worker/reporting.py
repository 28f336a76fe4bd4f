"""The progress of one attempt, written to its request: at most twice a second, and never in anybody's way."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rushes.store.database import DatabaseUnavailable
from rushes.store.records import Request
from rushes.worker.progress import Progress
from rushes.worker.queue_port import Queue

PROGRESS_SECONDS = 0.5
"""At most two progress writes a second."""


class Reporting:
    """Writes what `progress` says. A write that the database does not take is made up for by the next."""

    def __init__(self, queue: Queue, request: Request, progress: Progress) -> None:
        self._queue = queue
        self._request = request
        self._progress = progress

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        """Write every change while the context lasts."""
        reporter = asyncio.create_task(self._run())
        try:
            yield
        finally:
            reporter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reporter

    async def now(self) -> None:
        """Write the latest percentage and stage."""
        with contextlib.suppress(DatabaseUnavailable):
            await self._queue.progress(
                self._request.request_id, self._request.attempt, self._progress.percent, self._progress.stage
            )

    async def stages(self) -> None:
        """Keep when each stage began."""
        with contextlib.suppress(DatabaseUnavailable):
            await self._queue.note_stages(self._request.request_id, self._request.attempt, self._progress.stages)

    async def _run(self) -> None:
        written = (-1, "")
        while True:
            latest = (self._progress.percent, self._progress.stage)
            if latest != written:
                await self.now()
                written = latest
            await asyncio.sleep(PROGRESS_SECONDS)
