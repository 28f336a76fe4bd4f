"""Server-sent events from the ASGI application in this process, message by message, as a browser reads them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

READ_SECONDS = 10.0


@dataclass
class Message:
    """One message; `id` is the last id given so far, as EventSource keeps it."""

    event: str
    data: Any
    id: str


@dataclass
class Stream:
    """An open stream. The application waits until what it sent has been read, as for a slow client."""

    status: int
    headers: dict[str, str]
    parts: "asyncio.Queue[bytes | None]"
    buffer: bytes = b""
    id: str = ""
    comments: int = 0
    seen: list[Message] = field(default_factory=list[Message])

    async def next(self) -> Message | None:
        """The next message, None at the end of the stream."""
        while True:
            block, found, rest = self.buffer.partition(b"\n\n")
            if found:
                self.buffer = rest
                message = self._message(block.decode())
                if message is not None:
                    self.seen.append(message)
                    return message
                continue
            part = await asyncio.wait_for(self.parts.get(), READ_SECONDS)
            if part is None:
                return None
            self.buffer += part

    async def until(self, event: str) -> Message:
        """Read on until a message of this type."""
        while message := await self.next():
            if message.event == event:
                return message
        raise AssertionError(f"the stream ended before {event}")

    def _message(self, block: str) -> Message | None:
        fields = [line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":")]
        self.comments += any(line.startswith(":") for line in block.splitlines())
        given = dict(fields)
        self.id = given.get("id", self.id)
        return Message(given["event"], json.loads(given["data"]), self.id) if "data" in given else None


@asynccontextmanager
async def opened(app: Any, path: str, token: str, **headers: str) -> AsyncIterator[Stream]:
    """GET a stream; leaving the context is what hanging up is."""
    given = {"accept": "text/event-stream", "authorization": f"Bearer {token}", "host": "rushes.test", **headers}
    gone = asyncio.Event()
    started: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    parts: asyncio.Queue[bytes | None] = asyncio.Queue(1)

    sent = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not sent.is_set():
            sent.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.set_result(message)
        elif message.get("body"):
            await parts.put(message["body"])

    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        "client": ("203.0.113.7", 4711), "server": ("rushes.test", 80), "state": {},
    }  # fmt: skip

    async def run() -> None:
        try:
            await app(scope, receive, send)
        finally:
            if not gone.is_set():
                await parts.put(None)

    running = asyncio.create_task(run())
    try:
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        start = started.result()
        decoded = {name.decode(): value.decode() for name, value in start["headers"]}
        yield Stream(start["status"], decoded, parts)
    finally:
        gone.set()
        while not running.done():
            if not parts.empty():
                parts.get_nowait()
            await asyncio.wait({running}, timeout=0.01)
        running.result()
