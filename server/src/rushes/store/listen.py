"""One LISTEN connection per process. NOTIFY is not stored, so every waiter also polls; this only makes them early."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg

from rushes.telemetry import logger

log = logger("listen")

Heard = Callable[[str], None]


class Listener:
    """Calls handlers for notifications and reconnects by itself. start, started and stop, in any order."""

    def __init__(self, dsn: str, *, ask_seconds: float = 5.0, answer_seconds: float = 5.0) -> None:
        """How often a silent connection is asked whether it lives, and how long it may take to say."""
        self._dsn = dsn
        self._ask_seconds = ask_seconds
        self._answer_seconds = answer_seconds
        self._handlers: dict[str, list[Heard]] = {}
        self._lost: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    def on(self, channel: str, handler: Heard) -> None:
        """Call `handler` with the payload of every notification on `channel`. Register before start."""
        self._handlers.setdefault(channel, []).append(handler)

    def on_lost(self, handler: Callable[[], None]) -> None:
        """Call `handler` when notifications may have been missed."""
        self._lost.append(handler)

    @property
    def started(self) -> bool:
        return self._task is not None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        delay = 0.1
        while True:
            try:
                await self._listen()
                delay = 0.1
            except Exception as error:  # any failure of this connection has one remedy: a new one
                log.warning("listen_failed", error=str(error))
            delay = min(delay * 2, 2.0)
            await asyncio.sleep(delay)

    async def _listen(self) -> None:
        """Listen until the connection ends."""
        ended = asyncio.Event()
        connection = await asyncpg.connect(self._dsn, timeout=5, server_settings={"application_name": "rushes listen"})
        try:
            connection.add_termination_listener(lambda _: ended.set())
            for channel in self._handlers:
                await connection.add_listener(channel, self._heard)
            for lost in self._lost:
                lost()  # whatever was cached while nobody listened is stale
            self.connected.set()
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._ask_seconds):
                        await ended.wait()
                    return
                # A network that swallows everything ends no connection; a question without an answer does.
                await connection.execute("SELECT 1", timeout=self._answer_seconds)
        finally:
            self.connected.clear()
            for lost in self._lost:
                lost()
            with contextlib.suppress(Exception):  # closing a dead connection tells nothing new
                await connection.close(timeout=1)

    def _heard(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for handler in self._handlers.get(channel, ()):
            handler(str(payload))
