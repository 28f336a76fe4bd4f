"""Work left at other servers: marked by an end without success alone, given to one at a time, never kept for ever."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from rushes.store.database import Connection, Database, load_queries
from rushes.store.listen import Listener
from rushes.store.operate import Operate
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.work_elsewhere import Left, WorkElsewhere
from rushes.worker.patience import patiently
from support.queueing import LANE, failure, make_request, started, success

NOW = timedelta(0)
PATIENCE = 60.0
REF = '{"server": "http://upstream.test", "id": "r1"}'


@pytest.fixture
def elsewhere(database: Database) -> WorkElsewhere:
    return WorkElsewhere(database)


async def begun(requests: Requests, org_id: UUID, ref: str = REF, *, lane: str = LANE) -> Request:
    """A request that runs, and whose engine has remembered something."""
    await requests.submit(make_request(org_id, lane=lane))
    request = await started(requests)
    assert await requests.remember(request.request_id, request.attempt, ref)
    return request


async def handed_back(requests: Requests, request: Request) -> None:
    assert await requests.hand_back(request.request_id, request.attempt)


async def put_off(requests: Requests, request: Request) -> None:
    assert await requests.retry(request.request_id, request.attempt, timedelta(hours=1), "It broke")


async def rescued(requests: Requests, request: Request) -> None:
    await requests.expire_all_leases()
    assert await requests.rescue(max_tries=3) == (1, 0)


async def test_a_cancel_while_nobody_runs_it_leaves_its_work_to_be_stopped_at_once(
    requests: Requests, elsewhere: WorkElsewhere, org_id: UUID
) -> None:
    for returned in (handed_back, put_off, rescued):
        request = await begun(requests, org_id)
        await returned(requests, request)
        assert await elsewhere.take(LANE) is None, "the request is alive"
        assert await elsewhere.alive() == [REF]
        await requests.cancel(org_id, request.request_id)
        assert await elsewhere.alive() == []
        assert await elsewhere.take("another") is None
        assert await elsewhere.take(LANE) == Left(request.request_id, REF, 1)
        assert await elsewhere.take(LANE) is None, "it is somebody's"
        purged = await requests.purge(org_id, request.request_id)
        assert purged is not None and purged.remembered is None
        await elsewhere.again(request.request_id, NOW, "No connection")
        assert await elsewhere.take(LANE) == Left(request.request_id, REF, 2), "a purge leaves it to be stopped"


async def test_a_failure_of_its_last_attempt_and_a_worker_lost_too_often_leave_work_to_be_stopped(
    requests: Requests, elsewhere: WorkElsewhere, org_id: UUID
) -> None:
    failed = await begun(requests, org_id)
    assert await requests.finish(failed.request_id, failed.attempt, failure("timeout"))
    assert await elsewhere.take(LANE) == Left(failed.request_id, REF, 1)
    lost = await begun(requests, org_id)
    await requests.expire_all_leases()
    assert await requests.rescue(max_tries=1) == (0, 1)
    assert await elsewhere.take(LANE) == Left(lost.request_id, REF, 1)


async def test_nothing_is_left_by_a_success_and_by_engines_that_remember_nothing(
    requests: Requests, elsewhere: WorkElsewhere, org_id: UUID
) -> None:
    good = await begun(requests, org_id)
    assert await requests.finish(good.request_id, good.attempt, success())
    refused = await begun(requests, org_id, "")
    assert await requests.finish(refused.request_id, refused.attempt, failure())
    await requests.submit(make_request(org_id))
    here = await started(requests)
    await requests.cancel(org_id, here.request_id)
    assert await elsewhere.next_due(LANE) is None


async def test_what_an_attempt_learns_after_a_cancel_is_what_will_be_stopped_if_it_had_begun_anything(
    requests: Requests, elsewhere: WorkElsewhere, org_id: UUID
) -> None:
    """The answer to a submit comes when the customer has cancelled already."""
    await requests.submit(make_request(org_id))
    nothing = await started(requests)
    await requests.cancel(org_id, nothing.request_id)
    assert not await requests.remember(nothing.request_id, nothing.attempt, REF)
    assert await elsewhere.next_due(LANE) is None
    request = await begun(requests, org_id, '{"server": "http://upstream.test", "id": null}')
    await requests.cancel(org_id, request.request_id)
    assert not await requests.remember(request.request_id, request.attempt, REF)
    assert await elsewhere.take(LANE) == Left(request.request_id, REF, 1)


async def test_what_an_attempt_learns_in_the_very_moment_of_a_cancel_is_not_lost(
    requests: Requests, elsewhere: WorkElsewhere, database: Database, org_id: UUID
) -> None:
    """Its statement waits for the cancel to commit, and cannot see the row that the cancel has made."""
    request = await begun(requests, org_id, '{"server": "http://upstream.test", "id": null}')
    async with database.transaction() as connection:
        await conclude(connection, request, "cancelled")
        learning = asyncio.create_task(
            patiently(lambda: requests.remember(request.request_id, request.attempt, REF), PATIENCE)
        )
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
    assert not await learning
    assert await elsewhere.take(LANE) == Left(request.request_id, REF, 1)


async def conclude(connection: Connection, request: Request, status: str) -> None:
    """What ends a request, in a transaction of the test's."""
    given = {"request_id": request.request_id, "org_id": request.org_id, "attempt": None, "expired_only": False}
    given |= {"status": status, "from_statuses": ["processing"], "error": "It was cancelled", "error_code": status}
    given |= {"outcome": None, "retryable": False, "keep_seconds": 1, "seconds": 0.0, "artifacts": "[]", "report": None}
    assert await load_queries("requests").conclude(connection, **given)


async def test_what_could_not_be_stopped_is_taken_again_when_it_is_due(
    requests: Requests, elsewhere: WorkElsewhere, database: Database, org_id: UUID
) -> None:
    request = await begun(requests, org_id)
    assert await requests.finish(request.request_id, request.attempt, failure())
    assert await elsewhere.take(LANE)
    await elsewhere.again(request.request_id, timedelta(minutes=5), "No connection")
    due = await elsewhere.next_due(LANE)
    assert due is not None and 120 < due <= 300
    await elsewhere.again(request.request_id, NOW, "No connection")
    assert await elsewhere.take(LANE) == Left(request.request_id, REF, 2)
    await elsewhere.settle(request.request_id)
    await elsewhere.settle(request.request_id, "it may run on")
    assert await elsewhere.next_due(LANE) is None
    assert [event["kind"] for event in await Operate(database).events(limit=10)] == []


async def test_operators_are_told_of_what_runs_on_and_of_what_is_given_up(
    requests: Requests, elsewhere: WorkElsewhere, database: Database, org_id: UUID
) -> None:
    runs, waits, unserved = [await begun(requests, org_id) for _ in range(3)]
    for request in (runs, waits, unserved):
        assert await requests.finish(request.request_id, request.attempt, failure())
    await elsewhere.settle(runs.request_id, "it may run on")
    await elsewhere.again(waits.request_id, NOW, "No connection")
    await elsewhere.give_up(timedelta(hours=1))
    assert await elsewhere.next_due(LANE) is not None, "it is not that old"
    await elsewhere.give_up(NOW)
    assert await elsewhere.next_due(LANE) is None
    told = {event["said"] for event in await Operate(database).events(limit=10) if event["kind"] == "work.left"}
    assert told == {
        f"request {runs.request_id}: it may run on",
        f"request {waits.request_id}: given up after 0 tries: No connection",
        f"request {unserved.request_id}: given up after 0 tries: no qworker serves it",
    }


async def test_a_cancel_of_what_runs_is_told_at_once_and_leaves_its_attempt_some_seconds_to_stop_it_itself(
    requests: Requests, elsewhere: WorkElsewhere, database: Database, org_id: UUID
) -> None:
    request = await begun(requests, org_id)
    listener, heard, over = Listener(database.dsn), list[str](), asyncio.Event()
    listener.on("rushes_elsewhere", heard.append)
    listener.on("rushes_request", lambda said: over.set() if said == "over" else None)
    await listener.start()
    await listener.connected.wait()
    await requests.cancel(org_id, request.request_id)
    async with database.connection() as connection:  # notifications come in the order of their transactions
        await connection.execute("SELECT pg_notify('rushes_request', 'over')")
    await over.wait()
    await listener.stop()
    assert heard == [LANE]
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT due_at - since AS grace FROM work_elsewhere")
        assert row is not None and timedelta(seconds=9) < row["grace"] < timedelta(seconds=11)
        await connection.execute("UPDATE work_elsewhere SET due_at = since")
    assert await elsewhere.take(LANE) == Left(request.request_id, REF, 1)
