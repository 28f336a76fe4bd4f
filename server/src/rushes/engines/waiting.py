"""Waiting for other servers without missing a cancel."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from rushes.engines.engine import Cancelled, Control

T = TypeVar("T")
LISTEN_SECONDS = 0.2


async def pause(control: Control, seconds: float) -> None:
    """Wait. Raises Cancelled as soon as one is heard."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        control.check()
        await asyncio.sleep(min(left, LISTEN_SECONDS))
    control.check()


async def unless_cancelled(control: Control, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is given up as soon as a cancel is heard. Raises Cancelled then."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            control.check()
            await asyncio.wait({task}, timeout=LISTEN_SECONDS)
        return task.result()
    except Cancelled:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    finally:
        task.cancel()


class Pace:
    """Progress of servers that tell none: from how long such work took before, and never to the end."""

    def __init__(self) -> None:
        self._average: dict[object, float] = {}

    def share(self, shape: object, elapsed: float) -> float:
        """How much of it is done after `elapsed` seconds, 0 to 0.95."""
        average = self._average.get(shape)
        return min(0.95, elapsed / average if average else elapsed / (elapsed + 60.0))

    def took(self, shape: object, seconds: float) -> None:
        before = self._average.get(shape)
        self._average[shape] = seconds if before is None else 0.7 * before + 0.3 * seconds
