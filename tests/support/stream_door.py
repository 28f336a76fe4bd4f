"""A door in front of a server: counts the event streams that are open, reads along, and cuts them when told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

STREAM = b"GET /api/v1/ie/requestqueue/events"
WHOLE = b"0\r\n\r\n"
"""How a chunked answer ends that was not cut."""


class StreamDoor:
    """Carries bytes in both directions. What it knows is guarded by `changed`; wait with `until`."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.address = ""
        self.changed = threading.Condition()
        self.open = 0
        """Event streams that are open now."""
        self.most = 0
        """The most that were open at once."""
        self.cut_after: int | None = None
        """How many messages a stream may bring before it is cut, its marker included; None for all."""
        self.cut_upload_after: int | None = None
        """How many bytes a browser may send on one connection before it is cut; None for all."""
        self.cuts = 0
        self.ended_whole = 0
        """Streams that the server ended itself, to the last byte."""
        self.said = b""
        """Everything that streams have brought."""

    def until(self, true: Callable[[StreamDoor], bool], seconds: float = 30) -> None:
        """Wait for what the door sees. Raises AssertionError when it does not come true."""
        with self.changed:
            assert self.changed.wait_for(lambda: true(self), seconds), (self.open, self.most, self.cuts)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream = await asyncio.open_connection(*self._upstream)
        except OSError:
            writer.transport.abort()
            return
        line = _Line()
        ways = [
            asyncio.create_task(self._ask(reader, upstream, line)),
            asyncio.create_task(self._answer(upstream_reader, writer, line)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, upstream):
                end.transport.abort() if line.cut else end.close()
            if line.streams:
                self._note(open=-1, cuts=int(line.cut), ended_whole=int(line.last.endswith(WHOLE)))

    async def _ask(self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, line: _Line) -> None:
        while part := await reader.read(65536):
            if not line.streams and STREAM in part:
                line.streams = True
                self._note(open=1)
            line.asked += len(part)
            if self.cut_upload_after is not None and line.asked > self.cut_upload_after:
                line.cut = True
                return
            upstream.write(part)
            await upstream.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line) -> None:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
            if line.streams:
                line.last = (line.last + part)[-len(WHOLE) :]
                line.messages += part.count(b"data: ")
                self._note(said=part)
                if self.cut_after is not None and line.messages >= self.cut_after:
                    line.cut = True
                    return

    def _note(self, *, open: int = 0, cuts: int = 0, ended_whole: int = 0, said: bytes = b"") -> None:
        with self.changed:
            self.open += open
            self.most = max(self.most, self.open)
            self.cuts += cuts
            self.ended_whole += ended_whole
            self.said += said
            self.changed.notify_all()


class _Line:
    """One connection."""

    def __init__(self) -> None:
        self.streams = False
        self.cut = False
        self.messages = 0
        self.asked = 0
        self.last = b""


@contextmanager
def stream_door(upstream: str) -> Generator[StreamDoor]:
    """A door on a free port of this machine, in a thread of its own; what goes through it ends with it."""
    door = StreamDoor(upstream)
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
        door.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()
        here = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not here]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    ready.wait()
    try:
        yield door
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
