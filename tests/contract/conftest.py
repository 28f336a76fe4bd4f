"""The store on a database of its own; when a test is over, every invariant must hold."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from rushes.store.database import Database
from rushes.store.requests import Requests
from support.invariants import broken_invariants
from support.queueing import make_org

WEEK = 7 * 86_400


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, size=20)
    await database.start()
    yield database
    await database.stop()
    assert await broken_invariants(database_url) == {}


@pytest.fixture
def requests(database: Database) -> Requests:
    return Requests(database, keep_seconds=WEEK)


@pytest.fixture
async def org_id(database: Database) -> UUID:
    return await make_org(database)
