"""Migrations: once each, all or nothing, one process at a time, and never onto a stranger's schema."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from rushes.store.database import SESSION
from rushes.store.migrate import MIGRATION_LOCK, Migration, SchemaTooNew, migrate, migrations
from support.postgres import Databases

FIRST = Migration(1, "0001_first.sql", "CREATE TABLE films (n integer); INSERT INTO films VALUES (1)")
SECOND = Migration(2, "0002_second.sql", "INSERT INTO films VALUES (2); ALTER TABLE films ADD title text")
BROKEN = Migration(2, "0002_broken.sql", "INSERT INTO films VALUES (2); SELECT nonsense")

MIGRATE_AND_STOP_HALF_WAY = """
import asyncio, sys
import asyncpg
from rushes.store.migrate import Migration, migrate
first = Migration(1, "0001_first.sql", sys.argv[2])
second = Migration(2, "0002_second.sql", "INSERT INTO films VALUES (2); DO 'BEGIN RAISE NOTICE $$half way$$; END';"
                   "SELECT pg_sleep(60)")
async def main():
    connection = await asyncpg.connect(sys.argv[1])
    connection.add_log_listener(lambda _, message: print(message.message, flush=True))
    await migrate(connection, [first, second])
asyncio.run(main())
"""


@pytest.fixture
def empty_url(postgres: Databases) -> Iterator[str]:
    """A database without a schema."""
    url = postgres.make("template0")
    yield url
    postgres.drop(url)


@pytest.fixture
async def connection(empty_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_url, server_settings=SESSION)
    yield connection
    await connection.close()


async def films(connection: asyncpg.Connection) -> list[int]:
    return [row["n"] for row in await connection.fetch("SELECT n FROM films ORDER BY n")]


async def test_each_migration_is_applied_once_and_in_order(connection: asyncpg.Connection) -> None:
    assert await migrate(connection, [FIRST]) == 1
    assert await migrate(connection, [FIRST, SECOND]) == 1
    assert await migrate(connection, [FIRST, SECOND]) == 0
    assert await films(connection) == [1, 2]


async def test_this_release_migrates_an_empty_database(connection: asyncpg.Connection) -> None:
    assert await migrate(connection) == len(migrations())
    assert await connection.fetchval("SELECT count(*) FROM requests") == 0


async def test_a_migration_that_fails_leaves_nothing_behind(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(connection, [FIRST, BROKEN])
    assert await films(connection) == [1]
    assert await migrate(connection, [FIRST, SECOND]) == 1
    assert await films(connection) == [1, 2]


async def test_a_migrator_killed_half_way_is_made_up_for_by_the_next(
    connection: asyncpg.Connection, empty_url: str
) -> None:
    """Crash row 13."""
    command = [sys.executable, "-c", MIGRATE_AND_STOP_HALF_WAY, empty_url, FIRST.sql]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        try:
            assert killed.stdout is not None
            assert "half way\n" in iter(killed.stdout.readline, "")
        finally:
            killed.send_signal(signal.SIGKILL)
    # Its back end sleeps on; PostgreSQL ends it when it next looks at the client, we do so now.
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'")
    assert await films(connection) == [1]
    assert await migrate(connection, [FIRST, SECOND]) == 1
    assert await films(connection) == [1, 2]


async def test_migrators_at_the_same_time_do_the_work_once(empty_url: str) -> None:
    connections = await asyncio.gather(*(asyncpg.connect(empty_url, server_settings=SESSION) for _ in range(6)))
    counts = await asyncio.gather(*(migrate(connection, [FIRST, SECOND]) for connection in connections))
    assert sum(counts) == 2
    assert await films(connections[0]) == [1, 2]
    for connection in connections:
        await connection.close()


async def test_a_migrator_waits_for_another_longer_than_for_any_lock(
    connection: asyncpg.Connection, empty_url: str
) -> None:
    holder = await asyncpg.connect(empty_url)
    await connection.execute("SET lock_timeout = 30; SET statement_timeout = 60")
    await holder.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    waiting = asyncio.create_task(migrate(connection, [FIRST]))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.3)
    await holder.close()
    assert await waiting == 1
    assert await connection.fetchval("SHOW lock_timeout") == "30ms", "only the migration's own transaction is patient"


async def test_a_newer_schema_is_refused(connection: asyncpg.Connection) -> None:
    await migrate(connection, [FIRST, SECOND])
    with pytest.raises(SchemaTooNew, match="migration 2, which this release does not know"):
        await migrate(connection, [FIRST])


async def test_a_migration_edited_after_the_fact_is_refused(connection: asyncpg.Connection) -> None:
    await migrate(connection, [FIRST])
    with pytest.raises(SchemaTooNew, match=r"0001_first\.sql differs"):
        await migrate(connection, [Migration(1, FIRST.name, FIRST.sql + " -- edited"), SECOND])
    assert await films(connection) == [1]


def test_this_release_numbers_its_migrations_without_gaps() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))
