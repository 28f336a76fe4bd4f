"""For every test: the option --long, and a real PostgreSQL with a fresh database for each test that asks."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from rushes.store.embedded import EmbeddedPostgres
from rushes.store.migrate import migrate

_TEMPLATE = "template_rushes"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run what takes minutes: every seed, the soak")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="only with --long"))


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

    def drop(self, url: str) -> None:
        """Remove a database, ending the connections that a test left open."""
        _run(self._execute(f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)"))

    def _url(self, name: str) -> str:
        return urlsplit(self.server.dsn)._replace(path=f"/{name}").geturl()

    async def _make_template(self) -> None:
        await self._execute(f"CREATE DATABASE {_TEMPLATE}")
        connection = await asyncpg.connect(self._url(_TEMPLATE))
        await migrate(connection)
        await connection.close()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server.dsn)
        await connection.execute(statement)
        await connection.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, whether or not this thread has a running loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """One embedded PostgreSQL for the whole session. Tests that kill one start their own."""
    folder = Path(tempfile.mkdtemp(prefix="rushes-tests-"))
    server = EmbeddedPostgres(folder)
    try:
        server.start()
        yield Databases(server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres: Databases) -> Iterator[str]:
    """A database of this version's schema, empty, for one test."""
    url = postgres.make()
    yield url
    postgres.drop(url)
