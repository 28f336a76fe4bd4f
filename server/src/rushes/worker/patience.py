"""Writing through an outage: generated work is not thrown away because the database or the store was away a minute."""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rushes.artifacts.objects import StorageUnavailable
from rushes.engines.engine import Cancelled
from rushes.store.database import DatabaseUnavailable
from rushes.telemetry import logger

log = logger("worker")
T = TypeVar("T")


async def patiently(write: Callable[[], Awaitable[T]], seconds: float, stop: threading.Event | None = None) -> T:
    """Repeat `write` while the database or the object store is away, for `seconds` at most.

    Raises the last DatabaseUnavailable or StorageUnavailable when the time is up, Cancelled when `stop` is set.
    """
    deadline = time.monotonic() + seconds
    delay = 0.1
    while True:
        try:
            return await write()
        except (DatabaseUnavailable, StorageUnavailable) as error:
            if time.monotonic() + delay > deadline:
                raise
            if stop is not None and stop.is_set():
                raise Cancelled from error
            log.warning("write_repeated", error=str(error))
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(delay * 2, 5.0)


async def together(*writes: Awaitable[None]) -> None:
    """Wait for all of them, whatever becomes of one, then raise the first error: nothing goes on behind our back."""
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
