"""Places in the line: exact when read, kept exact by what is heard and done, read again after half a second."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from rushes.api.lines import BELIEVED_SECONDS, FRESH_SECONDS, Lines
from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.store.requests import Requests
from support.queueing import LANE, LEASE, make_org, make_request


class Counting(Requests):
    """The store, counting reads of a line."""

    reads = 0

    async def line(self, lane: str, limit: int):
        self.reads += 1
        return await super().line(lane, limit)


class Place:
    """A line with everything around it; the clock stands until it is set."""

    def __init__(self, database: Database) -> None:
        self.now = 0.0
        self.requests = Counting(database, keep_seconds=60)
        self.listener = Listener(database.dsn)
        self.lines = Lines(self.requests, self.listener, lambda: self.now)
        self.heard = asyncio.Queue[str]()
        self.listener.on("rushes_request", self.heard.put_nowait)

    async def positions(self, requests: list[Request]) -> list[int | None]:
        return [await self.lines.position(request) for request in requests]

    async def true_positions(self, requests: list[Request]) -> list[int | None]:
        return [await self.requests.position(request.request_id) for request in requests]


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    database = Database(database_url)
    await database.start()
    place = Place(database)
    await place.listener.start()
    await place.listener.connected.wait()
    yield place
    await place.listener.stop()
    await database.stop()


@pytest.fixture
async def org_id(place: Place) -> UUID:
    return await make_org(place.requests._database)


async def queued(place: Place, org_id: UUID, count: int) -> list[Request]:
    """Requests of several priorities in two lanes."""
    return [
        await place.requests.submit(make_request(org_id, priority=n % 3, lane=(LANE, "other")[n % 2], cost=1 + n % 4))
        for n in range(count)
    ]


async def test_everybody_s_place_comes_from_one_read_of_each_lane(place: Place, org_id: UUID) -> None:
    requests = await queued(place, org_id, 12)
    assert await place.positions(requests) == await place.true_positions(requests)
    assert place.requests.reads == 2


async def test_questions_at_the_same_time_share_a_read(place: Place, org_id: UUID) -> None:
    (request,) = await queued(place, org_id, 1)
    assert await asyncio.gather(*(place.lines.position(request) for _ in range(20))) == [0] * 20
    assert place.requests.reads == 1


async def test_a_claim_that_is_heard_of_moves_everybody_up_without_a_read(place: Place, org_id: UUID) -> None:
    requests = await queued(place, org_id, 8)
    await place.positions(requests)
    claimed = {r.request_id for r in await place.requests.claim(uuid4(), [LANE, "other"], 3, LEASE)}
    assert {UUID((await place.heard.get()).split()[0]) for _ in claimed} == claimed
    waiting = [request for request in requests if request.request_id not in claimed]
    assert await place.positions(waiting) == await place.true_positions(waiting)
    assert place.requests.reads == 2


async def test_what_this_process_submits_is_counted_at_once_and_once(place: Place, org_id: UUID) -> None:
    (first,) = await queued(place, org_id, 1)
    await place.lines.position(first)
    second = await place.requests.submit(make_request(org_id))
    for _ in range(2):
        place.lines.joined(second)
    third = await place.requests.submit(make_request(org_id))
    assert await place.positions([first, second, third]) == [0, 1, 2]
    assert place.requests.reads == 1


async def test_a_line_of_half_a_second_answers_while_it_is_read_again(place: Place, org_id: UUID) -> None:
    (first,) = await queued(place, org_id, 1)
    await place.lines.position(first)
    ahead = await place.requests.submit(make_request(org_id, priority=9))
    place.now = FRESH_SECONDS
    assert await place.positions([first, first]) == [0, 0]
    await place.lines._reading[LANE]
    assert await place.positions([ahead, first]) == [0, 1]
    assert place.requests.reads == 2


async def test_nobody_is_told_of_an_old_line(place: Place, org_id: UUID) -> None:
    (first,) = await queued(place, org_id, 1)
    await place.lines.position(first)
    ahead = await place.requests.submit(make_request(org_id, priority=9))
    place.now = BELIEVED_SECONDS
    assert await place.positions([ahead, first]) == [0, 1]


async def test_a_read_that_fails_while_the_line_still_answers_is_made_again(place: Place, org_id: UUID) -> None:
    (first,) = await queued(place, org_id, 1)
    await place.lines.position(first)
    await place.requests._database.stop()
    place.now = FRESH_SECONDS
    assert await place.lines.position(first) == 0
    with pytest.raises(DatabaseUnavailable):
        await place.lines._reading[LANE]
    await place.requests._database.start()
    place.now = BELIEVED_SECONDS
    assert await place.lines.position(first) == 0
    assert place.requests.reads == 3


async def test_nothing_is_believed_when_notifications_may_have_been_missed(place: Place, org_id: UUID) -> None:
    (first,) = await queued(place, org_id, 1)
    await place.lines.position(first)
    await place.requests.submit(make_request(org_id, priority=9))
    await place.listener.stop()
    assert await place.lines.position(first) == 1


async def test_who_does_not_wait_has_no_place(place: Place, org_id: UUID) -> None:
    await queued(place, org_id, 1)
    (claimed,) = await place.requests.claim(uuid4(), [LANE], 1, LEASE)
    assert await place.lines.position(claimed) is None
    assert place.requests.reads == 0
