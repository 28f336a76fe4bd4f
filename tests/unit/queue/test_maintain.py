"""The rounds of maintenance: rescue with patience, retention, orphans; one process works, any can take over."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from rushes.artifacts.objects import Objects, StorageUnavailable
from rushes.domain.request import Status
from rushes.queue.maintain import ROUND_LOCK, Clocks, Maintenance
from rushes.store.database import Database
from rushes.store.files import Files
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from support.invariants import broken_invariants
from support.postgres_proxy import postgres_proxy
from support.queueing import claim_one, failure, make_artifact, make_org, make_request, started, success

SHORT = timedelta(milliseconds=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.start()
    yield database
    await database.stop()
    assert await broken_invariants(database_url) == {}


@pytest.fixture
def requests(database: Database) -> Requests:
    return Requests(database, keep_seconds=3600)


@pytest.fixture
async def org_id(database: Database) -> UUID:
    return await make_org(database)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects("", tmp_path / "objects")


class Rounds:
    """Counts the rounds that got as far as their further work."""

    def __init__(self) -> None:
        self.ended = asyncio.Semaphore(0)
        self.faults: list[Exception] = []

    async def note(self) -> None:
        self.ended.release()
        if self.faults:
            raise self.faults.pop()

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(60):
            for _ in range(count):
                await self.ended.acquire()


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


@pytest.fixture
async def maintenance(objects: Objects, rounds: Rounds) -> AsyncIterator[Callable[..., Maintenance]]:
    """Makes one whose rounds come fifty times a second; they are stopped at the end."""
    made: list[Maintenance] = []

    def make(database: Database, lease: float = 0.0, max_tries: int = 3, **more: Any) -> Maintenance:
        clocks = Clocks(every=0.02, lease=lease, max_tries=max_tries, record_age=timedelta(days=90))
        requests = Requests(database, keep_seconds=3600)
        parts = (database, requests, Workers(database), Files(database), objects, clocks)
        made.append(Maintenance(*parts, also=(rounds.note,), **more))
        return made[-1]

    yield make
    for one in made:
        await one.stop()


async def status(requests: Requests, org_id: UUID, request_id: UUID) -> Status:
    request = await requests.get(org_id, request_id)
    assert request is not None
    return request.status


async def abandoned(requests: Requests, org_id: UUID) -> UUID:
    """A request whose lease has run out."""
    await requests.submit(make_request(org_id))
    return (await claim_one(requests, lease=SHORT)).request_id


async def test_a_round_rescues_what_a_dead_worker_left(
    requests: Requests, database: Database, org_id: UUID, maintenance: Any, rounds: Rounds
) -> None:
    request_id = await abandoned(requests, org_id)
    await maintenance(database).start()
    await rounds.wait(2)
    assert await status(requests, org_id, request_id) is Status.QUEUED


async def test_the_last_try_fails_in_a_round(
    requests: Requests, database: Database, org_id: UUID, maintenance: Any, rounds: Rounds
) -> None:
    request_id = await abandoned(requests, org_id)
    await maintenance(database, max_tries=1).start()
    await rounds.wait(2)
    assert await status(requests, org_id, request_id) is Status.FAILED


async def test_nothing_is_rescued_before_heartbeats_could_flow_for_a_lease(
    requests: Requests, database: Database, org_id: UUID, maintenance: Any, rounds: Rounds
) -> None:
    """A qworker that lived through our restart needs the time to renew."""
    request_id = await abandoned(requests, org_id)
    await maintenance(database, lease=0.5).start()
    began = time.monotonic()
    await rounds.wait(3)
    if time.monotonic() - began < 0.4:
        assert await status(requests, org_id, request_id) is Status.DISPATCHED
    while await status(requests, org_id, request_id) is not Status.QUEUED:
        await rounds.wait(1)
    assert time.monotonic() - began >= 0.5


async def test_an_outage_of_the_database_gives_leases_their_time_again(
    requests: Requests, database_url: str, org_id: UUID, maintenance: Any, rounds: Rounds
) -> None:
    async with postgres_proxy(database_url) as proxy:
        behind = Database(proxy.dsn)
        await behind.start()
        rescuer = maintenance(behind, lease=1.0)
        await rescuer.start()
        rescuer._rescue_from = 0.0  # its first lease has passed
        await rounds.wait(2)
        proxy.go_away()
        request_id = await abandoned(requests, org_id)
        failed_until = rescuer._rescue_from
        async with asyncio.timeout(60):
            while rescuer._rescue_from == failed_until:
                await asyncio.sleep(0)
        proxy.come_back()
        back = time.monotonic()
        await rounds.wait(3)
        if time.monotonic() - back < 0.8:
            assert await status(requests, org_id, request_id) is Status.DISPATCHED
        while await status(requests, org_id, request_id) is not Status.QUEUED:
            await rounds.wait(1)
        await rescuer.stop()
        await behind.stop()


async def test_who_finds_the_lock_taken_leaves_the_round_to_the_other(
    requests: Requests, database: Database, org_id: UUID, maintenance: Any, rounds: Rounds
) -> None:
    request_id = await abandoned(requests, org_id)
    rescuer = maintenance(database)
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", ROUND_LOCK)
        await rescuer._round()
        assert await status(requests, org_id, request_id) is Status.DISPATCHED
    await rescuer._round()
    assert await status(requests, org_id, request_id) is Status.QUEUED


async def test_a_fault_in_one_round_does_not_end_all_rounds(
    requests: Requests, database: Database, org_id: UUID, maintenance: Any, rounds: Rounds
) -> None:
    rounds.faults = [ZeroDivisionError("a bug"), StorageUnavailable("full")]
    await maintenance(database).start()
    request_id = await abandoned(requests, org_id)
    await rounds.wait(4)
    assert rounds.faults == []
    while await status(requests, org_id, request_id) is not Status.QUEUED:
        await rounds.wait(1)


async def stored(objects: Objects, tmp_path: Path, path: str) -> str:
    """An object with a few bytes."""
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    return (await objects.put(path, source)).path


def there(tmp_path: Path) -> set[str]:
    root = tmp_path / "objects"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


async def finished(requests: Requests, objects: Objects, tmp_path: Path, org_id: UUID, **changes: Any) -> UUID:
    """A success with its two objects stored."""
    await requests.submit(make_request(org_id, **changes))
    request = await started(requests)
    folder = f"artifacts/{request.request_id}"
    video = make_artifact("video", path=await stored(objects, tmp_path, f"{folder}/video"))
    thumbnail = make_artifact("thumbnail", path=await stored(objects, tmp_path, f"{folder}/thumbnail"))
    assert await requests.finish(request.request_id, request.attempt, success(artifacts=(video, thumbnail)))
    return request.request_id


async def test_artifacts_go_when_their_time_has_come_and_others_stay(
    requests: Requests, database: Database, objects: Objects, tmp_path: Path, org_id: UUID, maintenance: Any
) -> None:
    old = await finished(requests, objects, tmp_path, org_id, expires_after=0)
    young = await finished(requests, objects, tmp_path, org_id)
    await maintenance(database)._round()
    assert there(tmp_path) == {f"artifacts/{young}/video", f"artifacts/{young}/thumbnail"}
    assert await status(requests, org_id, old) is Status.SUCCESS


async def test_what_was_purged_is_deleted_in_the_next_sweep(
    requests: Requests,
    database: Database,
    objects: Objects,
    tmp_path: Path,
    org_id: UUID,
    maintenance: Any,
    rounds: Rounds,
) -> None:
    request_id = await finished(requests, objects, tmp_path, org_id)
    sweeper = maintenance(database)
    await sweeper.start()
    await rounds.wait(2)
    assert len(there(tmp_path)) == 2
    await requests.purge(org_id, request_id)
    sweeper.wake()
    async with asyncio.timeout(60):
        while there(tmp_path):
            await rounds.wait(1)


async def test_orphans_go_after_a_day_and_what_an_outcome_names_stays(
    requests: Requests, database: Database, objects: Objects, tmp_path: Path, org_id: UUID, maintenance: Any
) -> None:
    named = await finished(requests, objects, tmp_path, org_id)
    old = await stored(objects, tmp_path, f"artifacts/{uuid4()}/1/video.mp4")
    young = await stored(objects, tmp_path, f"artifacts/{uuid4()}/1/video.mp4")
    half = tmp_path / "objects" / "artifacts" / "x" / "video.mp4#1"
    half.parent.mkdir()
    half.write_bytes(b"half of a film")
    yesterday = time.time() - 90_000
    for path in (tmp_path / "objects").rglob("*"):
        if path.is_file() and path != tmp_path / "objects" / young:
            os.utime(path, (yesterday, yesterday))
    sweeper = maintenance(database)
    await sweeper._sweep_orphans()
    assert there(tmp_path) == {f"artifacts/{named}/video", f"artifacts/{named}/thumbnail", young}
    assert not (tmp_path / "objects" / old).parent.exists(), "nor does its empty folder stay"


async def test_records_keys_and_dead_qworkers_are_forgotten_on_their_clocks(
    requests: Requests, database: Database, org_id: UUID, maintenance: Any
) -> None:
    workers = Workers(database)
    for name in ("gone", "here"):
        await workers.enrol(uuid4(), host=name, pid=1, version="0", lanes=[], slots=1)
    ended = await requests.submit(make_request(org_id))
    await requests.finish(ended.request_id, (await started(requests)).attempt, failure())
    async with database.connection() as connection:
        await connection.execute("UPDATE qworkers SET seen_at = seen_at - interval '2 hours' WHERE host = 'gone'")
        await connection.execute(
            "UPDATE requests SET created_at = created_at - interval '91 days',"
            " finished_at = finished_at - interval '91 days'"
        )
        await connection.execute(
            "INSERT INTO idempotency VALUES ($1, 'old', '', $1, '', now() - '3 days'::interval)", org_id
        )
    await maintenance(database)._round()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT string_agg(host, ' ') FROM qworkers") == "here"
        assert await connection.fetchval("SELECT count(*) FROM requests") == 0
        assert await connection.fetchval("SELECT count(*) FROM idempotency") == 0


async def test_start_and_stop_may_come_in_any_order_and_twice(database: Database, maintenance: Any) -> None:
    one = maintenance(database)
    await one.stop()
    await one.start()
    await one.start()
    assert one.started
    await one.stop()
    await one.stop()
    assert not one.started
