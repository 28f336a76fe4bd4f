"""Cached reads of single requests: never staler than promised, however reads, writes and lost notifications meet."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from rushes.domain.request import Status
from rushes.store.database import Database
from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.watch import MAX_CACHED, Watch
from support.postgres_proxy import PostgresProxy, postgres_proxy
from support.queueing import claim_one, make_org, make_request, started, success


class Counting(Requests):
    """Counts reads, and holds one back between the database's answer and the caller where it is asked to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, keep_seconds=60)
        self.reads = 0
        self.hold: asyncio.Event | None = None
        self.read = asyncio.Event()

    async def get(self, org_id: UUID, request_id: UUID) -> Request | None:
        self.reads += 1
        request = await super().get(org_id, request_id)
        self.read.set()
        if self.hold is not None:
            await self.hold.wait()
        return request


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[PostgresProxy]:
    """Only the LISTEN connection passes through it."""
    async with postgres_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def requests(database: Database) -> Counting:
    return Counting(database)


@pytest.fixture
async def org_id(database: Database) -> UUID:
    return await make_org(database)


@pytest.fixture
async def listener(proxy: PostgresProxy) -> AsyncIterator[Listener]:
    listener = Listener(proxy.dsn)
    yield listener
    await listener.stop()


@pytest.fixture
async def watch(requests: Counting, listener: Listener) -> Watch:
    """With a clock that stands still, so that only notifications end what is cached."""
    watch = Watch(requests, listener, clock=lambda: 100.0)
    await listener.start()
    await asyncio.wait_for(listener.connected.wait(), 10)
    return watch


async def heard(watch: Watch, request_id: UUID) -> asyncio.Event:
    """An event that is set when the next change of the request is heard of."""
    return watch.subscribed(request_id).__enter__()


async def test_a_second_read_is_answered_from_memory(watch: Watch, requests: Counting, org_id: UUID) -> None:
    request_id = (await requests.submit(make_request(org_id))).request_id
    assert await watch.get(org_id, request_id) == await watch.get(org_id, request_id)
    assert requests.reads == 1


async def test_a_change_made_elsewhere_is_seen_when_its_notification_arrives(
    watch: Watch, requests: Counting, org_id: UUID
) -> None:
    request_id = (await requests.submit(make_request(org_id))).request_id
    await watch.get(org_id, request_id)
    for status, change in (
        (Status.DISPATCHED, lambda: claim_one(requests)),
        (Status.PROCESSING, lambda: requests.begin(request_id, 1, "loading")),
        (Status.SUCCESS, lambda: requests.finish(request_id, 1, success())),
    ):
        changed = await heard(watch, request_id)
        await change()
        await asyncio.wait_for(changed.wait(), 5)
        request = await watch.get(org_id, request_id)
        assert request is not None
        assert request.status is status


async def test_who_waits_for_the_end_reads_at_the_beginning_and_at_the_end(
    watch: Watch, requests: Counting, org_id: UUID
) -> None:
    request_id = (await requests.submit(make_request(org_id))).request_id
    waiting = asyncio.create_task(watch.final(org_id, request_id, 30))
    for change in (
        lambda: claim_one(requests),
        lambda: requests.begin(request_id, 1, "loading"),
        lambda: requests.retry(request_id, 1, timedelta(0), "again"),
        lambda: claim_one(requests),
        lambda: requests.begin(request_id, 2, "loading"),
    ):
        changed = await heard(watch, request_id)
        await change()
        await asyncio.wait_for(changed.wait(), 5)
    assert requests.reads == 1
    await requests.finish(request_id, 2, success())
    assert (await waiting).status is Status.SUCCESS  # type: ignore[union-attr]
    assert requests.reads == 2


async def test_a_read_overtaken_by_a_change_is_not_kept(watch: Watch, requests: Counting, org_id: UUID) -> None:
    """The slow reader holds the old row while the notification passes it: keeping it would show it for ever."""
    request_id = (await requests.submit(make_request(org_id))).request_id
    requests.hold = asyncio.Event()
    slow = asyncio.create_task(watch.get(org_id, request_id))
    await requests.read.wait()
    changed = await heard(watch, request_id)
    await requests.cancel(org_id, request_id)
    await asyncio.wait_for(changed.wait(), 5)
    requests.hold.set()
    requests.hold = None
    assert (await slow).status is Status.QUEUED  # type: ignore[union-attr]
    assert (await watch.get(org_id, request_id)).status is Status.CANCELLED  # type: ignore[union-attr]


async def test_a_final_record_is_kept_and_an_unfinished_one_for_half_a_second(
    listener: Listener, requests: Counting, org_id: UUID
) -> None:
    times = [0.0]
    watch = Watch(requests, listener, clock=lambda: times[0])
    heard = asyncio.Semaphore(0)
    listener.on("rushes_request", lambda _: heard.release())  # after the watch has heard it
    await listener.start()
    await asyncio.wait_for(listener.connected.wait(), 10)
    request_id = (await requests.submit(make_request(org_id))).request_id
    for now, reads in ((0.0, 1), (0.4, 1), (0.6, 2)):
        times[0] = now
        await watch.get(org_id, request_id)
        assert requests.reads == reads
    await started(requests)
    await requests.finish(request_id, 1, success())
    for _ in range(3):  # dispatched, processing, success: a late one would end what is cached, and rightly
        await asyncio.wait_for(heard.acquire(), 5)
    assert (await watch.get(org_id, request_id)).status is Status.SUCCESS  # type: ignore[union-attr]
    before = requests.reads
    times[0] = 1e9
    await watch.get(org_id, request_id)
    assert requests.reads == before


async def test_nothing_is_kept_for_another_organisation_or_an_unknown_id(
    watch: Watch, requests: Counting, database: Database, org_id: UUID
) -> None:
    stranger = await make_org(database, "stranger")
    request_id = (await requests.submit(make_request(org_id))).request_id
    for _ in range(2):
        assert await watch.get(stranger, request_id) is None
        assert await watch.get(org_id, uuid4()) is None
    assert requests.reads == 4
    await watch.get(org_id, request_id)
    assert await watch.get(stranger, request_id) is None


async def test_without_notifications_every_read_asks_the_database(
    watch: Watch, requests: Counting, listener: Listener, proxy: PostgresProxy, org_id: UUID
) -> None:
    """Crash row 18."""
    request_id = (await requests.submit(make_request(org_id))).request_id
    await watch.get(org_id, request_id)
    changed = await heard(watch, request_id)
    proxy.go_away()
    await asyncio.wait_for(changed.wait(), 5)
    assert not listener.connected.is_set()
    before = requests.reads
    for _ in range(3):
        await watch.get(org_id, request_id)
    assert requests.reads == before + 3
    await requests.cancel(org_id, request_id)
    proxy.come_back()
    await asyncio.wait_for(listener.connected.wait(), 10)
    assert (await watch.get(org_id, request_id)).status is Status.CANCELLED  # type: ignore[union-attr]


async def test_a_waiter_is_woken_by_the_end_of_its_request(watch: Watch, requests: Counting, org_id: UUID) -> None:
    request_id = (await requests.submit(make_request(org_id))).request_id
    real = Watch(requests, watch._listener, clock=time.monotonic)
    waiters = [asyncio.create_task(real.final(org_id, request_id, 30)) for _ in range(20)]
    await requests.read.wait()
    await started(requests)
    began = time.monotonic()
    await requests.finish(request_id, 1, success())
    answers = await asyncio.wait_for(asyncio.gather(*waiters), 5)
    assert {answer.status for answer in answers if answer} == {Status.SUCCESS}
    assert time.monotonic() - began < 1.5, "they polled instead of being woken"
    assert real._waiters == {}


async def test_a_waiter_gets_what_there_is_when_its_time_is_up(watch: Watch, requests: Counting, org_id: UUID) -> None:
    request_id = (await requests.submit(make_request(org_id))).request_id
    real = Watch(requests, watch._listener, clock=time.monotonic)
    left = await real.final(org_id, request_id, 0.05)
    assert left is not None
    assert left.status is Status.QUEUED
    assert await real.final(org_id, uuid4(), 30) is None


async def test_the_cache_does_not_grow_for_ever(watch: Watch, requests: Counting, org_id: UUID) -> None:
    request = await requests.submit(make_request(org_id))
    for number in range(MAX_CACHED + 10):
        watch._cached[org_id, UUID(int=number)] = (1e9, request)
    await watch.get(org_id, request.request_id)
    assert len(watch._cached) <= MAX_CACHED
