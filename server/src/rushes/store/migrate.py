"""Bring a database to this version's schema: plain SQL files, forward only, each in one transaction.

Why no migration framework: decisions/0001-plain-sql-migrations.md.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from rushes.store.database import Connection

# Any fixed number: everybody who migrates this database takes the same advisory lock.
MIGRATION_LOCK = 7_364_201


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


async def migrate(connection: Connection) -> int:
    """Apply what is missing and return how many files that were.

    Safe to run from many processes at once and after a kill at any point. Raises SchemaTooNew when the database holds
    a migration that this release does not know, or knows with other text.
    """
    known = migrations()
    if await _applied(connection) == {m.number: m.digest for m in known}:
        return 0
    await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
            " digest text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        applied = await _applied(connection)
        _refuse_strangers(known, applied)
        missing = [m for m in known if m.number not in applied]
        for migration in missing:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (number, name, digest) VALUES ($1, $2, $3)",
                    migration.number,
                    migration.name,
                    migration.digest,
                )
        return len(missing)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)


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
