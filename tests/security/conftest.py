"""A loopback site that can be told to misbehave, and an egress client that is allowed to call it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from rushes.egress import Egress, EgressSettings
from support.api import Api, running_api

Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_DIALLED: list[Any] = []
_HOOKED: list[bool] = []


def _note_connects(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        _DIALLED.append(args[1])


@pytest.fixture
def dialled() -> list[Any]:
    """Every address to which this process has tried to connect since the test began."""
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_note_connects)
    _DIALLED.clear()
    return _DIALLED


@dataclass
class Site:
    """One server on 127.0.0.1. `heads` holds the request heads it has read, `connections` how many it accepted."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list[str | None])

    def url(self, path: str = "/file", host: str = "media.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def egress(self, resolve: Any = None, **settings: Any) -> Egress:
        """A client for which every name is 127.0.0.1 and loopback is allowed, unless told otherwise."""

        async def loopback(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        given = {"ports": (self.port,), "allow_private": (ip_network("127.0.0.0/8"),), **settings}
        return Egress(EgressSettings(**given), resolve or loopback)


Serve = Callable[..., Awaitable[Site]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a site whose connections are answered by `handler(head, reader, writer)`; it ends with the test."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[Any]] = set()

    async def start(handler: Handler, ssl: Any = None) -> Site:
        site = Site()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())  # type: ignore[arg-type]
            site.connections += 1
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                site.heads.append(head)
                await handler(head, reader, writer)
                await writer.drain()
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the client under test may hang up whenever it likes
            finally:
                writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=ssl)
        servers.append(server)
        site.port = server.sockets[0].getsockname()[1]
        return site

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def response(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def answer() -> Callable[..., Handler]:
    """A handler that sends one fixed response."""

    def build(body: bytes = b"", status: str = "200 OK", **headers: str) -> Handler:
        async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(response(body, status, **headers))

        return handler

    return build


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The real application on a database of its own."""
    async with running_api(database_url, tmp_path) as api:
        yield api
