"""What an operator looks at, over all organisations: figures of now, queue, qworkers, what was done, the last day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rushes.store.database import Database, Row, collect, load_queries

_sql = load_queries("operate")

COUNTED = 20_000
"""Of a lane's line no more is read to say who waits in it."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in one minute: how many requests, and how long those that started had waited, in seconds."""

    at: datetime
    submitted: int = 0
    started: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    wait_p50: float | None = None
    wait_p95: float | None = None


class Operate:
    """Reads for operators. Nothing here is of one organisation; see accounts for who may look."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def overview(self) -> Row:
        """Waiting, running, slots and held lanes now; what the last five minutes saw."""
        async with self._database.connection() as connection:
            row = await _sql.overview(connection)
        assert row is not None, "an aggregate has a row"
        return row

    async def queue(self) -> list[Row]:
        """lane, model, org_id, organisation, queued, running, oldest; COUNTED of a lane's line at most."""
        async with self._database.connection() as connection:
            return await collect(_sql.queue(connection, limit=COUNTED))

    async def qworkers(self) -> list[Row]:
        """Every qworker heard of within the hour, its age by the database's clock, and what it runs."""
        async with self._database.connection() as connection:
            return await collect(_sql.qworkers(connection))

    async def events(self, *, limit: int, before: int | None = None) -> list[Row]:
        """The latest things done to lanes and qworkers, newest first; those before number `before`."""
        async with self._database.connection() as connection:
            return await collect(_sql.events(connection, limit=limit, before=before))

    async def series(self, count: int) -> list[Minute]:
        """The last `count` minutes, the current one too, oldest first; those in which nothing happened are there."""
        async with self._database.connection() as connection:
            now = await _sql.now(connection)
            rows = await collect(_sql.series(connection, count=count))
        return _filled(rows, now.replace(second=0, microsecond=0), count)

    async def roll_up(self) -> None:
        """Keep the figures of the minutes that are over; safe in several processes at once."""
        async with self._database.connection() as connection:
            await _sql.roll_up(connection)

    async def forget_old(self, age: timedelta) -> None:
        async with self._database.connection() as connection:
            await _sql.forget_old(connection, age=age)


def _filled(rows: Sequence[Row], last: datetime, count: int) -> list[Minute]:
    known = {row["minute"]: Minute(*row) for row in rows}
    minutes = [last - timedelta(minutes=back) for back in range(count - 1, -1, -1)]
    return [known.get(at) or Minute(at) for at in minutes]
