"""The connection pool, the named SQL, and the one place that decides what a lost connection is."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, NoReturn, TypeAlias

import aiosql
import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

# Short transactions only; a paused process must not hold a lock for long.
SESSION = {
    "application_name": "rushes",
    "timezone": "UTC",
    "statement_timeout": "10000",
    "lock_timeout": "3000",
    "idle_in_transaction_session_timeout": "10000",
    "tcp_keepalives_idle": "10",
    # What solid-state disks deserve. With the default of 4, a queue that grew since the last ANALYZE is read and sorted
    # whole by every claim: 11.6 ms at 10,000 waiting, against 0.4.
    "random_page_cost": "1.1",
    # Our statements are short; compiling one costs more than it can save.
    "jit": "off",
}
ANSWER_SECONDS = 15.0
"""How long we wait for an answer: longer than the server's own limits, for the network that swallows it."""


# At every outage its pool reports with a stack what each of our callers reports in one line.
logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)


class DatabaseUnavailable(Exception):
    """No connection can be had, it was lost, or the server cannot do it now. What was being done may have happened."""


class Conflict(DatabaseUnavailable):
    """Another transaction was in the way; nothing happened, and the same work may succeed at once."""


class UnsafeDatabase(Exception):
    """The server runs with a durability setting off, so that "accepted" would not mean "durable"."""


def load_queries(name: str) -> Any:
    """The statements of sql/<name>.sql as callables: `queries.claim(connection, lane=...)`."""
    text = files("rushes.store").joinpath("sql", f"{name}.sql").read_text("utf-8")
    return aiosql.from_str(text, "asyncpg", mandatory_parameters=False)


async def collect(rows: AsyncIterator[Row]) -> list[Row]:
    """The rows of a statement that gives many."""
    return [row async for row in rows]


def is_temporary(error: BaseException) -> bool:
    """True if the same work may succeed later, or on another connection: the server is gone, full, busy or a standby.

    asyncpg raises five kinds when its server is killed; InternalClientError is one of them and derives from plain
    Exception.
    """
    return isinstance(
        error,
        OSError
        | asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.LockNotAvailableError
        | asyncpg.IdleInTransactionSessionTimeoutError
        | asyncpg.ReadOnlySQLTransactionError
        | asyncpg.InterfaceError
        | asyncpg.InternalClientError,
    )


async def _keep_session(_: Any) -> None:
    """The pool's reset is a no-op: we leave no session state behind."""


class Database:
    """A pool of connections to PostgreSQL. start, started and stop, in any order and any number of times."""

    def __init__(
        self, dsn: str, *, size: int = 10, answer_seconds: float = ANSWER_SECONDS, plan_once: bool = False
    ) -> None:
        """`plan_once`: plan each statement once for a connection, whatever its values. For those whose statements are
        few and large: planning a claim costs three times what running it does (decisions/0011-claims-planned-once.md).
        """
        self.dsn = dsn
        self._size = size
        self._answer_seconds = answer_seconds
        self._session = {**SESSION, "plan_cache_mode": "force_generic_plan"} if plan_once else SESSION
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    @property
    def started(self) -> bool:
        return self._pool is not None

    async def start(self) -> None:
        """Raises DatabaseUnavailable if PostgreSQL does not answer within ten seconds."""
        if self._pool is not None:
            return
        try:
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=1,
                max_size=self._size,
                timeout=10,
                command_timeout=self._answer_seconds,
                reset=_keep_session,
                server_settings=self._session,
                max_inactive_connection_lifetime=60,
            )
        except Exception as error:
            _raise_translated(error)

    async def stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(5):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """One connection; every statement commits by itself. Raises DatabaseUnavailable."""
        pool = self._pool
        if pool is None:
            raise DatabaseUnavailable("the pool is not started")
        try:
            async with pool.acquire(timeout=5) as connection:
                yield connection
        except Exception as error:
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                # A failover made our server a standby; where the DSN names several hosts, a new connection finds the
                # one that is primary now.
                await pool.expire_connections()
            _raise_translated(error)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """One connection inside one READ COMMITTED transaction."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def repeated(self, work: Callable[[Connection], Awaitable[Any]]) -> Any:
        """Run `work` in a transaction, three times at most while another transaction is in the way."""
        for last in (False, False, True):
            try:
                async with self.transaction() as connection:
                    return await work(connection)
            except Conflict:
                if last:
                    raise
        raise AssertionError("unreachable")

    async def refuse_if_unsafe(self) -> None:
        """Raises UnsafeDatabase when fsync, synchronous_commit or full_page_writes is off."""
        async with self.connection() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                if await connection.fetchval("SELECT current_setting($1)", setting) == "off":
                    raise UnsafeDatabase(
                        f"PostgreSQL runs with {setting} off, so an accepted request could be lost. Switch it on,"
                        " or set RUSHES_ALLOW_UNSAFE_DATABASE=1."
                    )


def _raise_translated(error: Exception) -> NoReturn:
    if isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
        raise Conflict(str(error)) from error
    if is_temporary(error):
        raise DatabaseUnavailable(str(error) or type(error).__name__) from error
    raise error
