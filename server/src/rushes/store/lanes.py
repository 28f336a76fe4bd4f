"""Lanes in the store: held and resumed, what has failed in a row, what a swap costs."""

from uuid import UUID

from rushes.domain.lane import HOLD_AFTER
from rushes.store.database import Connection, Database, Row, collect, load_queries

_sql = load_queries("lanes")
MAX_SAID = 500


class Lanes:
    """Every lane that was ever used or is served now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Row]:
        """lane, held, cause, said, since, failures, failing, load_seconds, served_at; by name."""
        async with self._database.connection() as connection:
            return await collect(_sql.lanes(connection))

    async def held(self) -> list[Row]:
        """The lanes that are held: lane, cause, said, since."""
        async with self._database.connection() as connection:
            return await collect(_sql.held_lanes(connection))

    async def hold(self, lane: str, *, actor: str, said: str | None = None, cause: str = "operator") -> bool:
        """Claim nothing more of a lane; its queue is kept. False for a lane that nobody knows."""
        async with self._database.transaction() as connection:
            row = await _sql.hold(connection, lane=lane, cause=cause, said=said and said[:MAX_SAID], actor=actor)
        return row is not None

    async def resume(self, lane: str, *, actor: str) -> bool:
        """Claim from a lane again, its failures forgotten. False for a lane that nobody knows."""
        async with self._database.transaction() as connection:
            row = await _sql.resume(connection, lane=lane, actor=actor)
        return row is not None


async def note_failure(connection: Connection, lane: str, whose: UUID, cause: str, said: str | None) -> None:
    """Count a failure against a lane, in the transaction that ends the attempt.

    `whose` is the request, or the qworker that does not support the model; neither counts twice in a row. A qworker
    counts only where no other serves the lane: elsewhere nothing stands still.
    """
    await _sql.failed(
        connection,
        lane=lane,
        whose=whose,
        cause=cause,
        said=(said or "")[:MAX_SAID],
        limit=HOLD_AFTER,
        served_elsewhere_is_well=cause == "unsupported",
    )
