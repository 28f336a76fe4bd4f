"""Stands between a client and PostgreSQL's socket and loses what a network can lose, at a chosen moment."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

_SOCKET = ".s.PGSQL.5432"


class PostgresProxy:
    """A socket folder of its own; `dsn` is the given DSN through it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        parts = urlsplit(dsn)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._upstream = Path(query["host"]) / _SOCKET
        self._folder = folder
        self.dsn = parts._replace(query=urlencode({**query, "host": str(folder)})).geturl()
        self.open = asyncio.Event()
        """Clear: bytes stay where they are in both directions, and nobody hears of it."""
        self.open.set()
        self.swallowed = asyncio.Event()
        """Set once an armed reply was lost."""
        self.delay = 0.0
        """Seconds that every reply takes longer."""
        self.refused = 0
        """How many connections were refused."""
        self._lose: bytes | None = None
        self._then_gone = self._gone = False
        self._pipes: set[asyncio.StreamWriter] = set()

    def lose_reply(self, tag: str | bytes, *, then_gone: bool = False) -> None:
        """Let the next statement with this command tag (COMMIT, UPDATE 1), or with these bytes in its rows, happen, but
        cut the line before its reply; `then_gone`: and refuse every new one.
        """
        self._lose = tag if isinstance(tag, bytes) else tag.encode() + b"\0"
        self._then_gone = then_gone

    def go_away(self) -> None:
        """Break every connection and refuse new ones."""
        self._gone = True
        self.cut()

    def come_back(self) -> None:
        self._gone = False

    def cut(self) -> None:
        """Break every connection."""
        for pipe in self._pipes:
            pipe.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._gone:
            self.refused += 1
            writer.transport.abort()
            return
        upstream_reader, upstream = await asyncio.open_unix_connection(str(self._upstream))
        self._pipes |= {writer, upstream}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, upstream))
                both.create_task(self._carry(upstream_reader, writer, replies=True))
        except* OSError:
            pass  # either side may go at any time
        finally:
            for pipe in (writer, upstream):
                self._pipes.discard(pipe)
                pipe.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replies: bool = False) -> None:
        while part := await reader.read(65536):
            await self.open.wait()
            if replies and self._lose is not None and self._lose in part:
                self._lose = None
                self._gone = self._then_gone
                self.swallowed.set()
                raise ConnectionResetError
            if replies and self.delay:
                await asyncio.sleep(self.delay)
            writer.write(part)
            await writer.drain()
        raise ConnectionResetError


@asynccontextmanager
async def postgres_proxy(dsn: str) -> AsyncGenerator[PostgresProxy]:
    """A running proxy in front of `dsn`; its connections end with it."""
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
        proxy = PostgresProxy(dsn, Path(folder))
        server = await asyncio.start_unix_server(proxy.serve, str(Path(folder) / _SOCKET))
        try:
            yield proxy
        finally:
            proxy.open.set()
            server.close()
            proxy.cut()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), 5)
