"""Failed logins in the store: the truth about guessing, shared by every API process."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from rushes.store.database import Database, collect, load_queries

_sql = load_queries("sessions")


class LoginFailures:
    """Counts failures by subject: an e-mail, an address, all together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wait(self, limits: Mapping[str, int], window: timedelta) -> float | None:
        """Seconds until every subject is below its limit of failures within the window; None if all are now."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.failures(connection, window=window, subjects=list(limits)))
        return max((row["seconds"] for row in rows if row["times"] >= limits[row["subject"]]), default=None)

    async def add(self, subjects: Sequence[str]) -> None:
        """Count one failure against each subject."""
        async with self._database.connection() as connection:
            await _sql.add_failure(connection, subjects=list(subjects))

    async def forgive(self, subject: str) -> None:
        """Forget the failures of one subject."""
        async with self._database.connection() as connection:
            await _sql.forgive(connection, subject=subject)

    async def forget_old(self) -> None:
        async with self._database.connection() as connection:
            await _sql.forget_failures(connection)
