"""Submits that gather while others are being stored: the promises of single submits hold, and more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from contract.test_store_balances import (
    accounts,  # noqa: F401
    test_fifty_parallel_submits_into_a_queue_of_ten_accept_exactly_ten,  # noqa: F401
    test_fifty_parallel_submits_of_a_key_with_room_for_ten_accept_exactly_ten,  # noqa: F401
    test_fifty_parallel_submits_with_money_for_ten_accept_exactly_ten,  # noqa: F401
)
from contract.test_store_idempotency import (
    test_a_refusal_does_not_use_the_key_up,  # noqa: F401
    test_another_body_under_the_same_key_is_refused,  # noqa: F401
    test_racing_submits_with_two_bodies_make_one_request,  # noqa: F401
    test_sixteen_racing_submits_with_one_key_make_one_request,  # noqa: F401
)
from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.submit_batch import BATCH_SIZE, BATCHES, MAX_WAITING, LineFull, SubmitBatch
from rushes.store.submits import RefusedSubmit
from support.postgres_proxy import postgres_proxy
from support.queueing import LEASE, make_org, make_request


class Batching(Requests):
    """The store with submits that gather, so that the suites of single submits run on it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, keep_seconds=60)
        batch = SubmitBatch(database, Requests(database, keep_seconds=60))
        self.submit = batch.submit  # type: ignore[method-assign]
        self.submit_once = batch.submit_once  # type: ignore[method-assign]


@pytest.fixture
def requests(database: Database) -> Batching:
    return Batching(database)


@asynccontextmanager
async def busy(database: Database, requests: Requests, org_id: UUID) -> AsyncIterator[None]:
    """Inside, as many batches as may be are in flight and wait for an organisation's row; at the end they go on."""
    async with database.transaction() as holder:
        await holder.execute("SELECT 1 FROM organisations WHERE org_id = $1 FOR UPDATE", org_id)
        first: list[asyncio.Task[Request]] = []
        for number in range(BATCHES):
            first.append(asyncio.create_task(requests.submit(make_request(org_id, quote_micro=0))))
            await locked_out(database, number + 1)
        yield
    await asyncio.gather(*first)


async def locked_out(database: Database, count: int) -> None:
    """Returns once so many transactions wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with database.connection() as connection:
        while count > await connection.fetchval(waiting):
            continue


async def transactions(database: Database) -> list[int]:
    """How many requests each transaction made, in the order of the transactions."""
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT count(*) FROM requests GROUP BY xmin ORDER BY min(created_at)")
    return [row["count"] for row in rows]


async def test_lone_submits_wait_for_nothing_and_share_nothing(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    for _ in range(3):
        await requests.submit(make_request(org_id))
    assert await transactions(database) == [1, 1, 1]


async def test_what_comes_while_batches_are_in_flight_goes_together(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    async with busy(database, requests, org_id):
        rest = [asyncio.create_task(requests.submit(make_request(org_id))) for _ in range(BATCH_SIZE + 5)]
        await asyncio.sleep(0)
    assert {request.status for request in await asyncio.gather(*rest)} == {"queued"}
    assert sorted(await transactions(database)) == [1, 1, 5, BATCH_SIZE]


async def test_one_bad_row_fails_alone(requests: Requests, database: Database, org_id: UUID) -> None:
    poor = await make_org(database, "poor", balance_micro=1_500)
    async with busy(database, requests, org_id):
        given = [
            make_request(org_id),
            make_request(org_id, metadata={"text": "PostgreSQL has no \0"}),
            make_request(poor, quote_micro=1_000),
            make_request(poor, quote_micro=1_000),
            make_request(org_id),
        ]
        tasks = [asyncio.create_task(requests.submit(new)) for new in given]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], Request) and isinstance(answers[4], Request)
    assert isinstance(answers[1], asyncpg.PostgresError)
    assert {type(answers[2]), type(answers[3])} == {Request, RefusedSubmit}


async def test_an_organisation_that_cannot_pay_leaves_the_batch_of_the_others_whole(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    poor = await make_org(database, "poor", balance_micro=0)
    async with busy(database, requests, org_id):
        refused = asyncio.create_task(requests.submit_once(make_request(poor), "key", b"", str))
        paid = [asyncio.create_task(requests.submit(make_request(org_id))) for _ in range(4)]
        await asyncio.sleep(0)
    await asyncio.gather(*paid)
    with pytest.raises(RefusedSubmit):
        await refused
    assert await requests.replayed(poor, "key", b"other") is None, "a refusal does not use up the key"
    assert await transactions(database) == [1, 1, 4]


async def test_places_in_the_line_are_those_of_single_submits(requests: Requests, database: Database) -> None:
    plain = Requests(database, keep_seconds=60)
    kinds = [("one", 3.0), ("two", 1.0), ("one", 2.0), ("two", 4.0), ("one", 0.5), ("one", 7.0), ("two", 1.5)]

    async def tags(batched: bool) -> list[float]:
        """Start tags in the order of `kinds`, in two lanes of their own that serve something already."""
        orgs = {name: await make_org(database, name) for name in ("one", "two", "before", "lock")}
        lanes = {name: f"lane {name} {batched}" for name in ("one", "two")}
        for lane, cost in (("one", 5.0), ("two", 2.0)):
            for _ in range(2):
                new = await plain.submit(make_request(orgs["before"], lane=lanes[lane], cost=cost))
            await plain.cancel(orgs["before"], (await plain.claim(orgs["one"], [lanes[lane]], 1, LEASE))[0].request_id)
            assert new.lane == lanes[lane]
        news = [
            make_request(orgs[org], lane=lanes["one" if n % 3 else "two"], cost=cost)
            for n, (org, cost) in enumerate(kinds)
        ]
        if batched:
            async with busy(database, requests, orgs["lock"]):
                tasks = [asyncio.create_task(requests.submit(new)) for new in news]
                await asyncio.sleep(0)
            await asyncio.gather(*tasks)
        else:
            for new in news:
                await plain.submit(new)
        async with database.connection() as connection:
            found = await connection.fetch("SELECT request_id, start_tag FROM requests")
        by_id = {row["request_id"]: row["start_tag"] for row in found}
        return [by_id[new.request_id] for new in news]

    assert await tags(batched=True) == await tags(batched=False)


async def test_a_batch_wakes_each_lane_once(
    requests: Requests, database: Database, database_url: str, org_id: UUID
) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(database_url)
    async with busy(database, requests, org_id):
        tasks = [
            asyncio.create_task(requests.submit(make_request(org_id, lane=lane))) for lane in ("a", "b", "a", "b", "a")
        ]
        await asyncio.sleep(0)
        await listener.add_listener("rushes_queue", lambda *words: heard.append(str(words[-1])))
    await asyncio.gather(*tasks)
    await listener.execute("SELECT 1")
    assert sorted(heard) == ["a", "b", "faults", "faults"]
    await listener.close()


async def test_a_full_line_refuses_and_stores_nothing(requests: Requests, database: Database, org_id: UUID) -> None:
    async with busy(database, requests, org_id):
        line = [asyncio.create_task(requests.submit(make_request(org_id))) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(LineFull):
            await requests.submit(make_request(org_id))
    await asyncio.gather(*line)
    assert sum(await transactions(database)) == BATCHES + MAX_WAITING


async def test_a_batch_whose_commit_went_through_without_a_reply_is_not_stored_twice(
    database: Database, database_url: str, org_id: UUID
) -> None:
    async with postgres_proxy(database_url) as proxy:
        cut_off = Database(proxy.dsn, size=4)
        await cut_off.start()
        requests = Batching(cut_off)
        proxy.lose_reply("COMMIT")
        with pytest.raises(DatabaseUnavailable):
            await requests.submit(make_request(org_id))
        await cut_off.stop()
    assert await transactions(database) == [1]
