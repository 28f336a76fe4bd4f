"""How slow a client may be. A socket that trickles costs nobody anything, but ten thousand of them would."""

import asyncio
import time
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any

from starlette.types import Message, Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

from rushes.domain.errors import ApiError

HEAD_SECONDS = 10.0
"""From the connection, or the first byte of a further call, to the end of its headers."""
BODY_SECONDS = 10.0
BODY_RATE = 1_000
"""A body may take ten seconds, and one more for every thousand bytes of it that have come."""
WRITE_SECONDS = 60.0
"""What has been written (a megabyte at most) may take so long to leave us."""


class TimelyProtocol(H11Protocol):
    """HTTP as uvicorn speaks it; whoever is too slow with headers, or does not read what we send, is cut off."""

    head_seconds = HEAD_SECONDS
    write_seconds = WRITE_SECONDS

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._head: TimerHandle | None = None
        self._write: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head = self._cut_after(self.head_seconds)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle and not self.cycle.response_complete:
            self._head = _over(self._head)
        elif self._head is None:
            self._head = self._cut_after(self.head_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write = self._cut_after(self.write_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write = _over(self._write)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head, self._write = _over(self._head), _over(self._write)
        super().connection_lost(exc)

    def _cut_after(self, seconds: float) -> TimerHandle:
        return self.loop.call_later(seconds, self.transport.abort)


def _over(timer: TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def paced(receive: Receive, clock: Callable[[], float] = time.monotonic) -> Receive:
    """Receive a call's body; raises ApiError 408 once it comes too slowly. After the body nothing is timed."""
    due = clock() + BODY_SECONDS
    whole = False

    async def receiving() -> Message:
        nonlocal due, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout(due - clock()):
                message = await receive()
        except TimeoutError:
            raise ApiError("body_too_slow") from None
        due += len(message.get("body", b"")) / BODY_RATE
        whole = not message.get("more_body", False)
        return message

    return receiving
