"""What ended requests have left running at other servers: a row for each, until it is stopped there or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from rushes.store.database import Database, collect, load_queries
from rushes.telemetry import logger

log = logger("work_elsewhere")
_sql = load_queries("work_elsewhere")

LEASE = timedelta(minutes=2)
"""How long one that was taken is left alone: longer than stopping it may take."""
GIVEN_UP: Final = timedelta(hours=6)
"""Nothing renders for so long; what has not been stopped by then has ended, or never will be heard of."""
MAX_SAID = 500


@dataclass(frozen=True, slots=True)
class Left:
    """The work of one ended request. `ref` is what its engine remembered, `tries` counts this one."""

    request_id: UUID
    ref: str
    tries: int


class WorkElsewhere:
    """Rows come from the end of a request (store/requests.py) and go when nothing more can be done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, label: str) -> Left | None:
        """The next work that an engine is to stop; nobody else gets it for LEASE. None if none is due."""
        async with self._database.connection() as connection:
            row = await _sql.take(connection, label=label, lease=LEASE)
        return Left(row["request_id"], row["remembered"], row["tries"]) if row else None

    async def next_due(self, label: str) -> float | None:
        """Seconds until `take` may give something; None if there is nothing."""
        async with self._database.connection() as connection:
            return await _sql.next_due(connection, label=label)

    async def alive(self) -> Sequence[str]:
        """What the engines of all requests that are not final have remembered."""
        async with self._database.connection() as connection:
            return [row["remembered"] for row in await collect(_sql.alive(connection))]

    async def again(self, request_id: UUID, delay: timedelta, said: str) -> None:
        """It could not be stopped now, and why."""
        async with self._database.connection() as connection:
            await _sql.again(connection, delay=delay, said=said[:MAX_SAID], request_id=request_id)

    async def settle(self, request_id: UUID, said: str | None = None) -> None:
        """It has ended, or nothing can be done: then operators are told what is `said`. Safe to call twice."""
        async with self._database.transaction() as connection:
            await _sql.settle(connection, request_id=request_id, said=said and said[:MAX_SAID])

    async def give_up(self, age: timedelta = GIVEN_UP) -> None:
        """Forget what is older than `age`, and tell operators of each."""
        async with self._database.transaction() as connection:
            rows = await collect(_sql.give_up(connection, age=age))
        for row in rows:
            log.warning(
                "work_given_up",
                request_id=str(row["request_id"]),
                label=row["label"],
                tries=row["tries"],
                reason=row["said"],
            )
