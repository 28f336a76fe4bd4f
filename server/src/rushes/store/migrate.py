"""Bring a database to this version's schema: plain SQL files, forward only, each in one transaction.

Why no migration framework: decisions/0001-plain-sql-migrations.md.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from rushes.moments import moment
from rushes.store.database import Connection

# Any fixed number: everybody who migrates this database takes the same advisory lock.
MIGRATION_LOCK = 7_364_201
PATIENCE_SECONDS = 3600.0
"""For one file, and for the turn of others: building an index on a large table takes its time."""


class SchemaTooNew(Exception):
    """The database was migrated by a newer release than this one."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file; its number orders it, its digest proves that it was not edited after the fact."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration of this release, in order."""
    found = [
        Migration(int(entry.name[:4]), entry.name, entry.read_text("utf-8"))
        for entry in files("rushes.store").joinpath("migrations").iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.number)


async def migrate(connection: Connection, known: list[Migration] | None = None) -> int:
    """Apply what is missing of this release's migrations, or of those given, and return how many files that were.

    Safe to run from many processes at once and after a kill at any point. Raises SchemaTooNew when the database holds
    a migration that this release does not know, or knows with other text.
    """
    known = migrations() if known is None else known
    if await _applied(connection) == {m.number: m.digest for m in known}:
        return 0
    count = 0
    while await _apply_next(connection, known):
        count += 1
    return count


async def _apply_next(connection: Connection, known: list[Migration]) -> bool:
    """Apply the first migration that is missing, in one transaction; False if none is.

    The lock ends with the transaction, so no process that was killed or paused keeps the others out.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK, timeout=PATIENCE_SECONDS)
        await connection.execute("SET LOCAL lock_timeout TO DEFAULT")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
            " digest text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        applied = await _applied(connection)
        _refuse_strangers(known, applied)
        missing = [m for m in known if m.number not in applied]
        if not missing:
            return False
        await connection.execute(missing[0].sql, timeout=PATIENCE_SECONDS)
        await connection.execute(
            "INSERT INTO schema_migrations (number, name, digest) VALUES ($1, $2, $3)",
            missing[0].number,
            missing[0].name,
            missing[0].digest,
        )
        moment("migration written")
        return True


async def _applied(connection: Connection) -> dict[int, str]:
    try:
        rows = await connection.fetch("SELECT number, digest FROM schema_migrations")
    except asyncpg.UndefinedTableError:
        return {}
    return {row["number"]: row["digest"] for row in rows}


def _refuse_strangers(known: list[Migration], applied: dict[int, str]) -> None:
    by_number = {m.number: m for m in known}
    for number, digest in applied.items():
        if number not in by_number:
            raise SchemaTooNew(
                f"The database has migration {number}, which this release does not know. Upgrade rushes."
            )
        if by_number[number].digest != digest:
            raise SchemaTooNew(f"Migration {by_number[number].name} differs from the one applied to this database.")
