"""A qworker in one process with real parts: it claims, is woken, loses a lease, drains, and goes when idle."""

import asyncio
from collections import namedtuple
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rushes.artifacts.objects import Objects
from rushes.catalog.loader import Catalog
from rushes.domain.request import Status
from rushes.egress import Egress, EgressSettings
from rushes.engines.registry import Engines
from rushes.engines.routing import Routing
from rushes.store.database import Database
from rushes.store.files import Files
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.worker import qworker as module
from rushes.worker.fetch import Fetch
from rushes.worker.policy import Policy
from rushes.worker.qworker import QWorker, Shape
from support.queueing import claim_one

from .conftest import ordered_request

Usage = namedtuple("Usage", ("total", "used", "free"))
SLOW = {"frames": 400, "seconds": 40, "progress_steps": 400}
Running = Callable[..., AbstractAsyncContextManager[QWorker]]


@pytest.fixture
def qworker(
    requests: Requests, database: Database, catalog: Catalog, environment: dict[str, str], tmp_path: Path
) -> Running:
    """Runs a qworker as a context; at its end it has drained. `shape` changes its figures."""

    @asynccontextmanager
    async def running(**shape: Any) -> AsyncGenerator[QWorker]:
        listener = Listener(database.dsn)
        objects = Objects("", tmp_path / "objects")
        policy = Policy(max_tries=3, attempt_seconds=60, cancel_grace_seconds=60, retry_delays=(0.0,))
        figures = Shape(
            slots=1,
            engines=("faults",),
            lease=timedelta(seconds=30),
            heartbeat_seconds=0.1,
            drain_seconds=0.0,
            exit_idle_seconds=None,
            scratch=tmp_path / "scratch",
            policy=policy,
        )
        worker = QWorker(
            replace(figures, **shape),
            requests=requests,
            lanes=Lanes(database),
            workers=Workers(database),
            listener=listener,
            objects=objects,
            fetch=Fetch(Files(database), objects, Egress(EgressSettings.of([80], []))),
            catalog=catalog,
            routing=Routing(Engines()),
            dsn=database.dsn,
            environment=environment,
            logs=None,
        )
        await listener.start()
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.drain()
            await task
            await listener.stop()

    return running


async def reached(requests: Requests, org_id: UUID, request_id: UUID, *wanted: Status, attempt: int = 0) -> Any:
    """The request once it has one of the statuses, in that attempt or later."""
    async with asyncio.timeout(60):
        while True:
            request = await requests.get(org_id, request_id)
            assert request is not None
            if request.status in wanted and request.attempt >= attempt:
                return request
            assert not request.final, request
            await asyncio.sleep(0.01)


async def submitted(requests: Requests, org_id: UUID, catalog: Catalog, **params: Any) -> UUID:
    return (await requests.submit(ordered_request(org_id, catalog, **params))).request_id


async def test_requests_are_run_one_after_the_other_as_they_come(
    qworker: Running, requests: Requests, database: Database, org_id: UUID, catalog: Catalog
) -> None:
    first = await submitted(requests, org_id, catalog)
    async with qworker() as worker:
        await reached(requests, org_id, first, Status.SUCCESS)
        (row,) = await Workers(database).alive()
        assert (row["qworker_id"], row["lanes"], row["slots"]) == (worker.qworker_id, ["faults"], 1)
        for _ in range(3):
            later = await submitted(requests, org_id, catalog)
            await reached(requests, org_id, later, Status.SUCCESS)
    assert await Workers(database).alive() == []


@pytest.fixture
def never_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the slow poll would find by itself is not found."""
    monkeypatch.setattr(module, "POLL_SECONDS", 3600.0)


@pytest.mark.usefixtures("never_polls")
async def test_an_idle_qworker_wakes_when_a_request_that_was_put_off_is_due(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog
) -> None:
    put_off = await submitted(requests, org_id, catalog)
    await claim_one(requests)
    await requests.retry(put_off, 1, timedelta(seconds=0.6), "It broke")
    async with qworker():
        await reached(requests, org_id, put_off, Status.SUCCESS, attempt=2)
        later = await submitted(requests, org_id, catalog, fault={"fail": None, "lose_worker": True})
        await reached(requests, org_id, later, Status.SUCCESS, attempt=2)


async def test_a_qworker_whose_disk_is_nearly_full_claims_nothing_until_there_is_room(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, room = asyncio.Event(), Usage(1 << 40, (1 << 40) - (1 << 30), 1 << 30)

    def usage(_: Path) -> Usage:
        asked.set()
        return room

    monkeypatch.setattr("rushes.artifacts.space.shutil.disk_usage", usage)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.2)
    waiting = await submitted(requests, org_id, catalog)
    async with qworker():
        for _ in range(3):
            await asyncio.wait_for(asked.wait(), 10)
            asked.clear()
        request = await requests.get(org_id, waiting)
        assert request is not None
        assert (request.status, request.attempt) == (Status.QUEUED, 0)
        room = Usage(1 << 40, 1 << 39, 1 << 39)
        await reached(requests, org_id, waiting, Status.SUCCESS)


@pytest.mark.usefixtures("never_polls")
async def test_what_was_queued_while_a_qworker_was_deaf_is_claimed_when_it_hears_again(
    qworker: Running, requests: Requests, database: Database, org_id: UUID, catalog: Catalog
) -> None:
    """Crash row 18."""
    async with qworker() as worker, database.connection() as connection:
        await worker._listener.connected.wait()
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rushes listen'"
            " AND datname = current_database()"
        )
        while worker._listener.connected.is_set():
            await asyncio.sleep(0)
        unheard = await submitted(requests, org_id, catalog)
        await reached(requests, org_id, unheard, Status.SUCCESS)


async def test_a_qworker_that_lost_its_lease_stops_and_takes_the_next_request(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog
) -> None:
    """Another qworker holds the request: ours hears it from its heartbeat."""
    slow = await submitted(requests, org_id, catalog, **SLOW)
    async with qworker():
        await reached(requests, org_id, slow, Status.PROCESSING)
        await requests.expire_all_leases()
        await requests.rescue(max_tries=3)
        await requests.cancel(org_id, slow)
        quick = await submitted(requests, org_id, catalog)
        await reached(requests, org_id, quick, Status.SUCCESS)


async def test_a_new_attempt_of_a_request_is_not_confused_with_the_superseded_one(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog
) -> None:
    """Two slots of one qworker hold attempts 1 and 2 of one request for a while."""
    slow = await submitted(requests, org_id, catalog, frames=48, seconds=2, progress_steps=48)
    async with qworker(slots=2, lease=timedelta(seconds=1)):
        await reached(requests, org_id, slow, Status.PROCESSING)
        await requests.expire_all_leases()
        await requests.rescue(max_tries=3)
        request = await reached(requests, org_id, slow, Status.PROCESSING, attempt=2)
        async with asyncio.timeout(60):
            while request.status is Status.PROCESSING:
                assert await requests.rescue(max_tries=3) == (0, 0), "the lease of the new attempt was not renewed"
                request = await requests.get(org_id, slow)
    assert (request.status, request.attempt) == (Status.SUCCESS, 2)


async def test_a_cancel_frees_the_slot(qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog) -> None:
    slow = await submitted(requests, org_id, catalog, **SLOW)
    async with qworker():
        await reached(requests, org_id, slow, Status.PROCESSING)
        await requests.cancel(org_id, slow)
        quick = await submitted(requests, org_id, catalog)
        await reached(requests, org_id, quick, Status.SUCCESS)


async def test_the_next_request_is_claimed_while_the_engine_ends_the_one_before(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog
) -> None:
    """With one slot. It has its lease, and its inputs are ready, before the engine is."""
    first = await submitted(requests, org_id, catalog, frames=48, seconds=3, progress_steps=48)
    second = await submitted(requests, org_id, catalog)
    third = await submitted(requests, org_id, catalog)
    async with qworker():
        await reached(requests, org_id, second, Status.DISPATCHED)
        assert (await reached(requests, org_id, first, Status.PROCESSING)).progress < 94
        assert (await reached(requests, org_id, third, Status.QUEUED)).attempt == 0
        for request_id in (second, third):
            request = await reached(requests, org_id, request_id, Status.SUCCESS)
            assert request.attempt == 1


async def test_a_drain_gives_back_at_once_what_was_claimed_ahead(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog
) -> None:
    first = await submitted(requests, org_id, catalog, frames=48, seconds=3, progress_steps=48)
    second = await submitted(requests, org_id, catalog)
    async with qworker(drain_seconds=20) as worker:
        await reached(requests, org_id, second, Status.DISPATCHED)
        worker.drain()
        left = await reached(requests, org_id, second, Status.QUEUED)
        assert (left.attempt, left.tries) == (1, 0)
    await reached(requests, org_id, first, Status.SUCCESS)


async def test_a_drain_finishes_what_it_can(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog
) -> None:
    short = await submitted(requests, org_id, catalog, frames=12, seconds=0.5)
    async with qworker(drain_seconds=20):
        await reached(requests, org_id, short, Status.PROCESSING)
    await reached(requests, org_id, short, Status.SUCCESS)


DEAF = {"hang": True, "frames": 8, "seconds": 1.0, "progress_steps": 8}
"""Says that a quarter is done, and hears nothing any more a quarter of a second later."""


@pytest.mark.parametrize("params", [SLOW, DEAF], ids=["willing", "deaf"])
async def test_a_drain_hands_back_what_takes_too_long_with_its_try(
    qworker: Running, requests: Requests, org_id: UUID, catalog: Catalog, params: dict[str, Any]
) -> None:
    """R10. A deaf engine has a minute after a cancel; a drain does not wait for that."""
    slow = await submitted(requests, org_id, catalog, **params)
    async with asyncio.timeout(60), qworker(drain_seconds=1.0):
        request = await reached(requests, org_id, slow, Status.PROCESSING)
        while params is DEAF and request.progress < 20:
            request = await reached(requests, org_id, slow, Status.PROCESSING)
    left = await reached(requests, org_id, slow, Status.QUEUED)
    assert (left.attempt, left.tries) == (1, 0)


async def test_a_qworker_leaves_when_it_has_been_idle_for_long_enough(
    requests: Requests, qworker: Running, org_id: UUID, catalog: Catalog
) -> None:
    request_id = await submitted(requests, org_id, catalog)
    async with qworker(exit_idle_seconds=0.0) as worker:
        async with asyncio.timeout(60):
            while not worker._draining:
                await asyncio.sleep(0.01)
    assert (await reached(requests, org_id, request_id, Status.SUCCESS)).attempt == 1
