"""Leases stay as long as their qworker lives, through a busy loop and through an outage, and not a moment longer."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rushes.store.database import Database
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.worker.heartbeat import Beat, Heartbeat
from support.postgres_proxy import postgres_proxy
from support.queueing import claim_one, make_request

LEASE = timedelta(seconds=1)
Held = set[tuple[UUID, int]]


class Holder:
    """What a qworker holds, and what it was told that it lost."""

    def __init__(self) -> None:
        self.held: Held = set()
        self.lost: Held = set()
        self.told = threading.Event()
        self.beats = threading.Semaphore(0)

    def beat(self) -> Beat:
        self.beats.release()
        return Beat(list(self.held), draining=False)

    def lose(self, gone: Held) -> None:
        self.lost |= gone
        self.told.set()

    def wait_beats(self, count: int) -> None:
        for _ in range(count):
            assert self.beats.acquire(timeout=60)


@pytest.fixture
def holder() -> Holder:
    return Holder()


@pytest.fixture
def heartbeat(holder: Holder) -> Iterator[Callable[..., Heartbeat]]:
    """Starts heartbeats of a tenth of a second for the holder."""
    started: list[Heartbeat] = []

    def start(dsn: str, **changes: Any) -> Heartbeat:
        figures = {"lease": LEASE, "every": 0.1, "outage_grace": 60.0} | changes
        started.append(Heartbeat(dsn, uuid4(), beat=holder.beat, lost=holder.lose, **figures))
        started[-1].start()
        return started[-1]

    yield start
    for beating in started:
        beating.stop()


async def lease_left(database: Database) -> float:
    """Seconds until the only lease ends."""
    async with database.connection() as connection:
        return await connection.fetchval(
            "SELECT extract(epoch FROM lease_until - clock_timestamp())::float FROM requests"
        )


async def test_a_lease_is_renewed_while_the_event_loop_is_busy(
    requests: Requests, database: Database, org_id: UUID, holder: Holder, heartbeat: Any
) -> None:
    await requests.submit(make_request(org_id))
    request = await claim_one(requests, lease=LEASE)
    holder.held = {(request.request_id, 1)}
    heartbeat(database.dsn, lease=timedelta(seconds=30))
    began = time.monotonic()
    while time.monotonic() - began < 1.3:  # busy, as an engine that holds the interpreter would be
        holder.wait_beats(1)
    assert await lease_left(database) > 0
    assert await requests.rescue(max_tries=3) == (0, 0)
    assert not holder.told.is_set()


async def test_a_lease_that_another_holds_is_reported_lost_and_the_others_kept(
    requests: Requests, database: Database, org_id: UUID, holder: Holder, heartbeat: Any
) -> None:
    for _ in range(2):
        await requests.submit(make_request(org_id))
    lost, kept = await claim_one(requests), await claim_one(requests)
    await requests.hand_back(lost.request_id, lost.attempt)
    again = await claim_one(requests)
    assert again.request_id == lost.request_id
    holder.held = {(lost.request_id, 1), (kept.request_id, 1), (again.request_id, 2)}
    heartbeat(database.dsn)
    assert await asyncio.to_thread(holder.told.wait, 60)
    assert holder.lost == {(lost.request_id, 1)}


async def test_an_outage_loses_nothing_before_its_grace_and_everything_after(
    requests: Requests, database_url: str, org_id: UUID, holder: Holder, heartbeat: Any
) -> None:
    await requests.submit(make_request(org_id))
    request = await claim_one(requests)
    holder.held = {(request.request_id, 1)}
    async with postgres_proxy(database_url) as proxy:
        patient = heartbeat(proxy.dsn, outage_grace=60.0)
        await asyncio.to_thread(holder.wait_beats, 2)
        proxy.go_away()
        await asyncio.to_thread(holder.wait_beats, 3)
        assert not holder.told.is_set()
        proxy.come_back()
        await asyncio.to_thread(holder.wait_beats, 3)
        await asyncio.to_thread(patient.stop)
        hasty = heartbeat(proxy.dsn, outage_grace=0.2)
        await asyncio.to_thread(holder.wait_beats, 2)
        assert not holder.told.is_set()
        proxy.go_away()
        assert await asyncio.to_thread(holder.told.wait, 60)
        assert holder.lost == holder.held
        await asyncio.to_thread(hasty.stop)


async def test_a_heartbeat_survives_an_error_nobody_foresaw(database: Database, holder: Holder, heartbeat: Any) -> None:
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE qworkers RENAME TO hidden")
        beating = heartbeat(database.dsn)
        await asyncio.to_thread(holder.wait_beats, 3)
        await connection.execute("ALTER TABLE hidden RENAME TO qworkers")
        await asyncio.to_thread(holder.wait_beats, 2)
    beating.stop()


async def test_heartbeats_say_who_is_alive(database: Database, holder: Holder) -> None:
    workers, qworker_id = Workers(database), uuid4()
    await workers.enrol(qworker_id, host="here", pid=1, version="0", lanes=["faults"], slots=1)
    async with database.connection() as connection:
        await connection.execute("UPDATE qworkers SET seen_at = seen_at - interval '1 minute'")
    assert await workers.alive() == []
    beating = Heartbeat(
        database.dsn, qworker_id, lease=LEASE, every=0.1, outage_grace=60, beat=holder.beat, lost=holder.lose
    )
    beating.start()
    beating.start()
    assert beating.started
    await asyncio.to_thread(holder.wait_beats, 3)
    assert [row["qworker_id"] for row in await workers.alive()] == [qworker_id]
    beating.stop()
    beating.stop()
    assert not beating.started
