"""Usage rows, added up."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries

_sql = load_queries("usage")


class Usage:
    """What an organisation used and was charged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def added_up(self, org_id: UUID, by: Collection[str], since: datetime, until: datetime) -> list[Row]:
        """Sums over `since <= at < until`, by any of day (UTC), model and key; what is not asked for is null."""
        async with self._database.connection() as connection:
            return await collect(
                _sql.usage(
                    connection,
                    by_day="day" in by,
                    by_model="model" in by,
                    by_key="key" in by,
                    org_id=org_id,
                    since=since,
                    until=until,
                )
            )
