"""Which platform a database is: the same for all its processes, for as long as it lives."""

from uuid import UUID

from rushes.store.database import Database, load_queries

_sql = load_queries("platform")


async def platform_instance(database: Database) -> UUID:
    """Drawn when the database was made. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        return await _sql.instance(connection)
