"""Work that ended requests have left at other servers is stopped there, by a process that has their engine.

It needs no slot and no engine child, so it waits for no request and none waits for it. A cancel is asked for again,
later and later, until the server has answered; store/work_elsewhere.py says when that is given up.
"""

import asyncio
import contextlib
import random
from datetime import timedelta

from rushes.engines.engine import Abandoned, Abandons, Busy, EngineError
from rushes.moments import moment
from rushes.store.database import DatabaseUnavailable
from rushes.store.listen import Listener
from rushes.store.work_elsewhere import LEASE, Left, WorkElsewhere
from rushes.telemetry import logger

log = logger("abandoning")

POLL_SECONDS = 30.0
"""The safety net under NOTIFY, jittered."""
STOP_SECONDS = LEASE.total_seconds() * 0.75
FIRST_DELAY, LAST_DELAY = 5.0, 300.0
_SAID: dict[Abandoned, str] = {
    "running": "the server stops nothing, so it may run on there",
    "unknown": "whether it has begun at the server could not be told",
}
"""What operators are told; of what was stopped, nothing."""


class Abandoning:
    """For one engine as one table sets it up. start, started and stop, in any order and any number of times."""

    def __init__(self, elsewhere: WorkElsewhere, label: str, engine: Abandons, listener: Listener) -> None:
        self._elsewhere = elsewhere
        self._label = label
        self._engine = engine
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        listener.on("rushes_elsewhere", self._heard)
        listener.on_lost(self._wake.set)  # what was told meanwhile is not told again

    @property
    def started(self) -> bool:
        return self._task is not None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"abandoning {self._label}")

    async def stop(self) -> None:
        """What is being asked for is left to another, or to the next start."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _heard(self, label: str) -> None:
        if label == self._label:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            wait = POLL_SECONDS * random.uniform(0.8, 1.2)
            try:
                while (left := await self._elsewhere.take(self._label)) is not None:
                    await self._abandon(left)
                due = await self._elsewhere.next_due(self._label)
                wait = wait if due is None else min(wait, max(due, 0.05))
            except DatabaseUnavailable as error:
                log.warning("look_failed", label=self._label, error=str(error))
            except Exception:  # a fault with one must not leave all others running
                log.exception("look_failed", label=self._label)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _abandon(self, left: Left) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                found = await self._engine.abandon(left.ref, self._elsewhere.alive)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # an engine may raise anything: it is asked again, and given up at last
            await self._again(left, error)
            return
        moment("stopped elsewhere")
        log.info("work_abandoned", request_id=str(left.request_id), label=self._label, found=found, tries=left.tries)
        await self._elsewhere.settle(left.request_id, _SAID.get(found))

    async def _again(self, left: Left, error: Exception) -> None:
        expected = isinstance(error, EngineError | TimeoutError)
        said = str(error) or type(error).__name__
        log.warning(
            "work_not_stopped",
            request_id=str(left.request_id),
            label=self._label,
            tries=left.tries,
            reason=said,
            exc_info=None if expected else error,
        )
        asked = error.retry_after if isinstance(error, Busy) else 0.0
        await self._elsewhere.again(left.request_id, timedelta(seconds=max(asked, delay(left.tries))), said)


def delay(tries: int) -> float:
    """Seconds until work is asked for again that could not be stopped in so many tries."""
    return min(LAST_DELAY, FIRST_DELAY * 2.0 ** min(tries - 1, 16)) * random.uniform(0.8, 1.2)
