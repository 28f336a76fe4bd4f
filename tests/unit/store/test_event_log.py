"""The organisation's event log: nothing is skipped, whatever the order in which transactions commit."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from rushes.store.database import Database
from rushes.store.event_log import BEGINNING, PAGE, Event, EventLog, Position, Snapshot
from rushes.store.requests import Requests
from support.queueing import make_org, make_request, started, success


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def log(database: Database) -> EventLog:
    return EventLog(database)


@pytest.fixture
async def org_id(database: Database) -> UUID:
    return await make_org(database)


@pytest.fixture
def requests(database: Database) -> Requests:
    return Requests(database, keep_seconds=60)


async def news(log: EventLog, org_id: UUID, seen: Snapshot | Position) -> tuple[list[Event], Snapshot]:
    now = await log.snapshot()
    return [event async for page in log.news(org_id, seen, now) for event in page], now


def words(events: list[Event]) -> list[str]:
    return [f"{event.status} {event.n}" for event in events]


class Writer:
    """A transaction that has written an event and takes its time to commit."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    async def begin(self, request_id: UUID, org_id: UUID, n: int) -> None:
        self.connection = await asyncpg.connect(self._url)
        self.transaction = self.connection.transaction()
        await self.transaction.start()
        await self.connection.execute(
            "INSERT INTO events (request_id, n, org_id, status, attempt) VALUES ($1, $2, $3, 'processing', 1)",
            request_id,
            n,
            org_id,
        )

    async def end(self, *, commit: bool = True) -> None:
        await (self.transaction.commit() if commit else self.transaction.rollback())
        await self.connection.close()


async def test_every_change_of_status_is_in_the_log_once(log: EventLog, org_id: UUID, requests: Requests) -> None:
    before = await log.snapshot()
    request = await requests.submit(make_request(org_id))
    running = await started(requests)
    assert await requests.finish(request.request_id, running.attempt, success())
    events, now = await news(log, org_id, before)
    assert words(events) == ["queued 1", "dispatched 2", "processing 3", "success 4"]
    assert {event.model for event in events} == {"rushes-test"}
    assert (await news(log, org_id, now))[0] == []


async def test_an_event_that_was_written_first_and_committed_last_is_not_skipped(
    log: EventLog, org_id: UUID, requests: Requests, database_url: str
) -> None:
    request = await requests.submit(make_request(org_id))
    seen = await log.snapshot()
    slow = Writer(database_url)
    await slow.begin(request.request_id, org_id, 50)
    await requests.submit(make_request(org_id))
    first, now = await news(log, org_id, seen)
    assert words(first) == ["queued 1"], "what has committed is shown at once, the slow one does not hold it up"
    position = now.position
    await slow.end()
    assert words((await news(log, org_id, now))[0]) == ["processing 50"], "and only the slow one is new then"
    resumed = words((await news(log, org_id, position))[0])
    assert "processing 50" in resumed, "a client that reconnects from what it was told last gets it too"
    assert set(resumed) <= {"processing 50", "queued 1"}


async def test_what_was_rolled_back_never_happened(
    log: EventLog, org_id: UUID, requests: Requests, database_url: str
) -> None:
    request = await requests.submit(make_request(org_id))
    seen = await log.snapshot()
    slow = Writer(database_url)
    await slow.begin(request.request_id, org_id, 50)
    await slow.end(commit=False)
    assert (await news(log, org_id, seen))[0] == []


async def test_a_list_holds_back_what_may_still_get_a_neighbour(
    log: EventLog, org_id: UUID, requests: Requests, database_url: str
) -> None:
    request = await requests.submit(make_request(org_id))
    slow = Writer(database_url)
    await slow.begin(request.request_id, org_id, 50)
    await requests.submit(make_request(org_id))
    page = await log.settled(org_id, BEGINNING, None, 10)
    assert words(page) == ["queued 1"]
    await slow.end()
    rest = await log.settled(org_id, Position.after(page[-1]), None, 10)
    assert words(rest) == ["processing 50", "queued 1"]


async def test_pages_join_without_a_gap_or_a_repetition(
    log: EventLog, org_id: UUID, requests: Requests, database_url: str
) -> None:
    request = await requests.submit(make_request(org_id))
    before = await log.snapshot()
    connection = await asyncpg.connect(database_url)
    await connection.execute(  # all of one transaction, and more than two pages
        "INSERT INTO events (request_id, n, org_id, status, attempt)"
        " SELECT $1, n, $2, 'processing', 1 FROM generate_series(10, $3) n",
        request.request_id,
        org_id,
        2 * PAGE + 20,
    )
    await connection.close()
    wanted = list(range(10, 2 * PAGE + 21))
    assert [event.n for event in (await news(log, org_id, before))[0]] == wanted
    listed: list[Event] = []
    after = BEGINNING
    while page := await log.settled(org_id, after, None, 70):
        listed += page
        after = Position.after(page[-1])
    assert [event.n for event in listed] == [1, *wanted]
    half = Position.after(listed[100])
    assert [event.n for event in (await news(log, org_id, half))[0]] == [event.n for event in listed[101:]]


async def test_other_organisations_and_other_models_are_left_out(
    log: EventLog, org_id: UUID, requests: Requests, database: Database
) -> None:
    before = await log.snapshot()
    await requests.submit(make_request(await make_org(database, "other")))
    await requests.submit(make_request(org_id, model="another"))
    assert await log.stirred([org_id], before) == {org_id}
    now = await log.snapshot()
    assert [page async for page in log.news(org_id, before, now, "rushes-test")] == []
    assert len(await log.settled(org_id, BEGINNING, "another", 10)) == 1
    assert await log.settled(org_id, BEGINNING, "rushes-test", 10) == []
    assert await log.stirred([org_id], now) == set()


async def test_what_runs_is_found_by_its_open_attempt(
    log: EventLog, org_id: UUID, requests: Requests, database: Database
) -> None:
    await requests.submit(make_request(org_id))
    assert await log.running([org_id]) == []
    request = await started(requests)
    assert [each.request_id for each in await log.running([org_id])] == [request.request_id]
    assert await log.running([await make_org(database, "other")]) == []
    assert await requests.finish(request.request_id, request.attempt, success())
    assert await log.running([org_id]) == []


async def test_events_of_a_restored_copy_come_before_new_ones(
    log: EventLog, org_id: UUID, requests: Requests, database: Database
) -> None:
    await requests.submit(make_request(org_id))
    async with database.connection() as connection:  # as another server, of more transactions, had numbered them
        await connection.execute("UPDATE events SET written_by = '900000000000'")
    assert await log.settled(org_id, BEGINNING, None, 10) == []
    await log.settle_restored()
    await requests.submit(make_request(org_id))
    listed = await log.settled(org_id, BEGINNING, None, 10)
    assert [event.written_by == 3 for event in listed] == [True, False]


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "x", "evt_1", "1-2", "1-00000000-0000-0000-0000-000000000000-", "9" * 19, "1\n", "１"]
)
def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.read(text) is None


def test_positions_are_read_as_they_are_written() -> None:
    for position in (Position(7), Position(7, UUID("0b7a1f1c-8f5c-4a1e-9d2b-0a6c4a1f2e3d"), 4)):
        assert Position.read(str(position)) == position
