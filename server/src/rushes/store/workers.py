"""The table of qworkers: who serves which lanes, who is alive."""

from collections.abc import Sequence
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries

_sql = load_queries("workers")


class Workers:
    """Enrol, beat, leave; and the list of those alive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enrol(
        self, qworker_id: UUID, *, host: str, pid: int, version: str, lanes: Sequence[str], slots: int
    ) -> None:
        async with self._database.connection() as connection:
            await _sql.enrol(
                connection, qworker_id=qworker_id, host=host, pid=pid, version=version, lanes=list(lanes), slots=slots
            )

    async def seen(self, qworker_id: UUID, *, busy: int, draining: bool) -> None:
        async with self._database.connection() as connection:
            await _sql.seen(connection, busy=busy, draining=draining, qworker_id=qworker_id)

    async def left(self, qworker_id: UUID) -> None:
        async with self._database.connection() as connection:
            await _sql.left(connection, qworker_id=qworker_id)

    async def alive(self) -> list[Row]:
        """Every qworker heard of within the last three heartbeats."""
        async with self._database.connection() as connection:
            return await collect(_sql.alive(connection))

    async def forget_dead(self) -> None:
        async with self._database.connection() as connection:
            await _sql.forget_dead(connection)
