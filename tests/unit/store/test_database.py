"""What a lost, busy, full or stalled PostgreSQL looks like to everything above the pool: one exception."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest
from rushes.store.database import (
    Conflict,
    Connection,
    Database,
    DatabaseUnavailable,
    UnsafeDatabase,
    is_temporary,
)
from support.postgres import MortalPostgres
from support.postgres_proxy import postgres_proxy


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, size=8)
    await database.start()
    yield database
    await database.stop()


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("08003"),
        asyncpg.ConnectionFailureError("08006"),
        asyncpg.CannotConnectNowError("57P03"),
        asyncpg.AdminShutdownError("57P01"),
        asyncpg.CrashShutdownError("57P02"),
        asyncpg.QueryCanceledError("57014"),
        asyncpg.TooManyConnectionsError("53300"),
        asyncpg.DiskFullError("53100"),
        asyncpg.OutOfMemoryError("53200"),
        asyncpg.LockNotAvailableError("55P03"),
        asyncpg.IdleInTransactionSessionTimeoutError("25P03"),
        asyncpg.ReadOnlySQLTransactionError("25006"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("unexpected state"),
        ConnectionRefusedError(111, "refused"),
        FileNotFoundError(2, "no socket"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_time_may_heal_is_temporary(error: Exception) -> None:
    assert is_temporary(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("23505"),
        asyncpg.UndefinedTableError("42P01"),
        asyncpg.PostgresSyntaxError("42601"),
        asyncpg.NumericValueOutOfRangeError("22003"),
        asyncpg.InvalidPasswordError("28P01"),
        asyncpg.InvalidCatalogNameError("3D000"),
        asyncpg.DataError("value out of int32 range"),
        ValueError("ours"),
        KeyError("ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_our_own_is_not_temporary(error: Exception) -> None:
    assert not is_temporary(error)


async def test_a_value_that_does_not_fit_is_not_taken_for_a_lost_connection(database: Database) -> None:
    with pytest.raises(asyncpg.DataError, match="out of int32 range"):
        async with database.connection() as connection:
            await connection.fetchval("SELECT $1::integer", 2**40)


async def test_a_killed_postgresql_is_one_exception_in_every_state_and_the_pool_recovers(
    mortal: MortalPostgres,
) -> None:
    """kill -9 under queries, transactions, idle and new connections: whatever asyncpg raises becomes one error."""
    database = Database(mortal.dsn, size=8)
    await database.start()
    dice = random.Random(1)
    busy = asyncio.Event()
    errors: list[BaseException] = []

    async def client() -> None:
        async with database.transaction() as connection:
            for _ in range(dice.randrange(3)):
                await connection.execute("SELECT 1")
            busy.set()
            await connection.execute("SELECT pg_sleep(30)")

    async def hasty() -> None:
        while True:
            async with database.connection() as connection:
                await connection.fetch("SELECT generate_series(1, 20000)")

    for _ in range(3):
        clients = [asyncio.create_task(work()) for work in (client, client, client, hasty, hasty, hasty, hasty)]
        await busy.wait()
        mortal.kill()
        done = await asyncio.gather(*clients, return_exceptions=True)
        errors += [error for error in done if isinstance(error, BaseException)]
        with pytest.raises(DatabaseUnavailable):
            async with database.connection() as connection:
                await connection.execute("SELECT 1")
        await asyncio.to_thread(mortal.start)
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        busy.clear()
    assert len(errors) == 21
    assert {type(error) for error in errors} == {DatabaseUnavailable}
    await database.stop()


async def test_a_pool_that_cannot_start_says_so_in_the_same_words(mortal: MortalPostgres) -> None:
    dsn = mortal.dsn
    mortal.kill()
    database = Database(dsn)
    with pytest.raises(DatabaseUnavailable):
        await database.start()
    assert not database.started
    await asyncio.to_thread(mortal.start)
    await database.start()
    await database.stop()


async def test_a_lock_that_is_not_let_go_is_temporary(database: Database) -> None:
    async with database.transaction() as holder:
        await holder.execute("LOCK TABLE requests IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            async with database.transaction() as connection:
                await connection.execute("SET LOCAL lock_timeout = 20")
                await connection.execute("SELECT * FROM requests")
    async with database.connection() as connection:
        assert await connection.fetchval("SHOW lock_timeout") == "3s"


async def test_a_network_that_swallows_everything_is_noticed(database_url: str) -> None:
    async with postgres_proxy(database_url) as proxy:
        database = Database(proxy.dsn, size=2, answer_seconds=1.0)
        await database.start()
        proxy.open.clear()
        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(60), database.connection() as connection:
                await connection.execute("SELECT 1")
        proxy.open.set()
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await database.stop()


async def test_deadlocked_work_is_done_again_until_it_succeeds(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE pair AS SELECT n, 0 AS value FROM generate_series(1, 2) n")
    both_hold_one = asyncio.Barrier(2)

    async def add(first: int, second: int) -> int:
        tries = 0

        async def work(connection: Connection) -> int:
            nonlocal tries
            tries += 1
            await connection.execute("UPDATE pair SET value = value + 1 WHERE n = $1", first)
            if tries == 1:
                await both_hold_one.wait()
            await connection.execute("UPDATE pair SET value = value + 1 WHERE n = $1", second)
            return tries

        return await database.repeated(work)

    tries = await asyncio.gather(add(1, 2), add(2, 1))
    assert sorted(tries) == [1, 2]
    async with database.connection() as connection:
        assert [row["value"] for row in await connection.fetch("SELECT value FROM pair")] == [2, 2]


async def test_work_that_is_always_in_conflict_ends_as_unavailable(database: Database) -> None:
    tries = 0

    async def work(_: Connection) -> None:
        nonlocal tries
        tries += 1
        raise asyncpg.SerializationError("40001")

    with pytest.raises(Conflict):
        await database.repeated(work)
    assert tries == 3


async def test_a_standby_is_left_for_a_new_connection(database: Database, database_url: str) -> None:
    name = database_url.rpartition("/")[2].partition("?")[0]
    admin = await asyncpg.connect(database_url)

    async def demoted(is_demoted: bool) -> None:
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {is_demoted}")

    await demoted(True)
    before = Database(database_url, size=2)
    await before.start()
    with pytest.raises(DatabaseUnavailable, match="read-only"):
        async with before.connection() as connection:
            await connection.execute("CREATE TABLE kept ()")
    await demoted(False)
    async with before.connection() as connection:
        await connection.execute("CREATE TABLE kept ()")
    await before.stop()
    await admin.close()


async def test_a_database_without_room_for_another_connection_is_temporary(
    database: Database, database_url: str
) -> None:
    name = database_url.rpartition("/")[2].partition("?")[0]
    async with database.connection() as connection:
        await connection.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
        another = Database(database_url)
        with pytest.raises(DatabaseUnavailable, match="too many connections"):
            await another.start()


async def test_a_server_that_may_lose_commits_is_refused(database_url: str) -> None:
    name = database_url.rpartition("/")[2].partition("?")[0]
    careful = Database(database_url)
    await careful.start()
    await careful.refuse_if_unsafe()
    async with careful.connection() as connection:
        await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await careful.stop()
    await careful.start()
    with pytest.raises(UnsafeDatabase, match="synchronous_commit"):
        await careful.refuse_if_unsafe()
    await careful.stop()


async def test_start_and_stop_may_come_in_any_order_and_twice(database_url: str) -> None:
    database = Database(database_url)
    await database.stop()
    with pytest.raises(DatabaseUnavailable):
        async with database.connection():
            pass
    await database.start()
    await database.start()
    assert database.started
    await database.stop()
    await database.stop()
    assert not database.started
