"""The built-in webhook receivers in the store: their addresses, and the deliveries they caught."""

from collections.abc import Mapping
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries
from rushes.store.records import dump

_sql = load_queries("catchers")

KEEP = 200
"""Deliveries kept for an organisation; the oldest go first, all of them after a day."""


class Catchers:
    """At most one catcher for each organisation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, org_id: UUID, token: str) -> Row:
        """The organisation's catcher; `token` becomes its address unless it has one already."""
        async with self._database.connection() as connection:
            return await _sql.make_catcher(connection, org_id=org_id, token=token)

    async def of(self, org_id: UUID) -> Row | None:
        async with self._database.connection() as connection:
            return await _sql.catcher(connection, org_id=org_id)

    async def by_token(self, token: str) -> Row | None:
        """The catcher at an address, of any organisation."""
        async with self._database.connection() as connection:
            return await _sql.catcher_by_token(connection, token=token)

    async def remove(self, org_id: UUID) -> bool:
        """Forget the catcher and all it caught; its address is gone for good."""
        async with self._database.connection() as connection:
            return await _sql.remove_catcher(connection, org_id=org_id) is not None

    async def keep(self, org_id: UUID, event_id: str, headers: Mapping[str, str], body: str) -> None:
        async with self._database.connection() as connection:
            await _sql.catch(connection, org_id=org_id, event_id=event_id, headers=dump(headers), body=body, keep=KEEP)

    async def refuse(self, org_id: UUID) -> None:
        """Count what came without a good signature."""
        async with self._database.connection() as connection:
            await _sql.count_refused(connection, org_id=org_id)

    async def caught(self, org_id: UUID, *, after: int | None, limit: int) -> list[Row]:
        """What was caught after a number, the newest first."""
        async with self._database.connection() as connection:
            return await collect(_sql.caught(connection, org_id=org_id, after=after, limit=limit))

    async def forget_old(self) -> None:
        """Drop what was caught more than a day ago."""
        async with self._database.connection() as connection:
            await _sql.forget_caught(connection)
