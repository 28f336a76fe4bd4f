"""Real PostgreSQL for tests: fresh databases in one server, and a server that may be killed."""

import asyncio
import itertools
import os
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from rushes.store.embedded import EmbeddedPostgres
from rushes.store.migrate import migrate

_TEMPLATE = "template_rushes"


class MortalPostgres(EmbeddedPostgres):
    """A server of the test's own; `start` brings a killed one back at the same DSN."""

    def kill(self) -> None:
        """kill -9 of the postmaster; returns once it is dead."""
        pid = self.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


class Databases:
    """The session's PostgreSQL server, and fresh databases in it, copied from a migrated template."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._names = (f"test_{number}" for number in itertools.count())
        _run(self._make_template())

    def make(self, template: str = _TEMPLATE) -> str:
        """The URL of a new database; with the template `template0` one without a schema."""
        name = next(self._names)
        _run(self._execute(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return self._url(name)

    def copy(self, url: str) -> str:
        """The URL of a copy of a database as it is now, as a backup would be; ends every connection to it."""
        name = urlsplit(url).path[1:]
        self._end_sessions(name)
        return self.make(name)

    def drop(self, url: str) -> None:
        """Remove a database, ending the connections that a test left open."""
        name = urlsplit(url).path[1:]
        # Not WITH (FORCE): that would end an autovacuum worker too, which only a superuser may; a plain DROP asks it.
        self._end_sessions(name)
        _run(self._execute(f"DROP DATABASE IF EXISTS {name}"))

    def _end_sessions(self, name: str) -> None:
        ours = f"datname = '{name}' AND usename = current_user"
        _run(self._execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {ours}"))

    def _url(self, name: str) -> str:
        return urlsplit(self.server.dsn)._replace(path=f"/{name}").geturl()

    async def _make_template(self) -> None:
        await self._execute(f"CREATE DATABASE {_TEMPLATE}")
        connection = await asyncpg.connect(self._url(_TEMPLATE))
        await migrate(connection)
        await connection.close()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, whether or not this thread has a running loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
