"""What no login needs any more is dropped; what is needed stays."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from rushes.store.database import Database
from rushes.store.login_failures import LoginFailures
from rushes.store.sessions import Sessions
from rushes.store.users import Users
from support.queueing import make_org

DAY = timedelta(days=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.stop()


async def session(database: Database, life: timedelta, revoked: timedelta | None = None) -> UUID:
    """A session that ends in `life`, revoked so long ago."""
    session_id = uuid4()
    users = Users(database)
    row = await users.by_email("ann@x.test")
    user_id = row["user_id"] if row else await users.add("ann@x.test", "", await make_org(database), "owner")
    await Sessions(database).open(session_id, user_id, "page", life)
    if revoked is not None:
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE sessions SET revoked_at = clock_timestamp() - $2::interval WHERE session_id = $1",
                session_id,
                revoked,
            )
    return session_id


async def test_sessions_go_a_day_after_their_end(database: Database) -> None:
    kept = {
        await session(database, DAY),
        await session(database, -DAY / 2),
        await session(database, DAY, revoked=DAY / 2),
    }
    await session(database, -2 * DAY)
    await session(database, DAY, revoked=2 * DAY)
    await Sessions(database).forget_old()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT session_id FROM sessions")
    assert {row["session_id"] for row in rows} == kept


async def test_failures_go_after_a_day(database: Database) -> None:
    failures = LoginFailures(database)
    await failures.add(["all", "address:a"])
    async with database.connection() as connection:
        await connection.execute("UPDATE login_failures SET at = at - interval '25 hours' WHERE subject = 'all'")
    await failures.forget_old()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT subject FROM login_failures")
    assert [row["subject"] for row in rows] == ["address:a"]
