"""kill -9, SIGSTOP and the loss of PostgreSQL at random moments: nothing is lost, stuck, unbilled or billed twice.

R1, R2 and R5 of the reliability targets. One seed of each runs always, ten longer ones with --long.
"""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from rushes.domain.request import Status
from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.requests import Requests
from rushes.store.submits import Replay
from rushes.worker.patience import patiently
from support.invariants import broken_invariants
from support.postgres import MortalPostgres
from support.queueing import make_org, make_request, started, success
from support.small_worker import SLOTS, Surroundings, maintain, work

MAX_TRIES = 10
"""Above the product's three, so that so many kills fail no request."""
KILL_EVERY = 0.2
DATABASE_KILL_EVERY = 3.0
FIRST_DATABASE_KILL = 1.0
"""A quick machine is done with a short run in less than three seconds."""
PAUSED_SHARE = 0.25
FINAL = "status IN ('success', 'failed', 'cancelled')"


@dataclass
class Toll:
    """What a run did to its processes."""

    kills: int = 0
    pauses: int = 0
    database_kills: int = 0
    blows: list[tuple[int, float, float]] = field(default_factory=list)
    """Process id, and the unix times from when to when it could not work."""

    def struck(self, pid: int, since: float, until: float) -> bool:
        """Whether a process was dead or paused at some time between two moments."""
        return any(struck == pid and begun < until and ended > since for struck, begun, ended in self.blows)

    processes: list[ForkServerProcess] = field(default_factory=list)


class Run:
    """Six workers, two rescuers, customers who submit and cancel, and the one who kills them."""

    def __init__(
        self, nursery: Any, around: Surroundings, seed: int, count: int, postgres: MortalPostgres | None
    ) -> None:
        self._nursery = nursery
        self._around = around
        self._dice = random.Random(seed)
        self._seeds = itertools.count(seed * 1_000_000)
        self._count = count
        self._postgres = postgres
        self._all_final = asyncio.Event()
        self._database = Database(around.dsn, size=8)
        self._requests = Requests(self._database, keep_seconds=3600)
        self.toll = Toll()

    async def play(self) -> None:
        await self._database.start()
        try:
            await self._play()
        finally:
            await self._database.stop()

    async def _play(self) -> None:
        free = await make_org(self._database, "free", balance_micro=10**12)
        limited = await make_org(self._database, "limited")
        async with self._database.connection() as connection:
            await connection.execute("UPDATE organisations SET max_running = 6 WHERE org_id = $1", limited)
        self.toll.processes = [self._started(number) for number in range(8)]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._customers([free, limited]))
                group.create_task(self._watch())
                group.create_task(self._kill_processes())
                if self._postgres is not None:
                    group.create_task(self._kill_database(self._postgres))
        finally:
            for process in self.toll.processes:
                process.kill()
            for process in self.toll.processes:
                await asyncio.to_thread(process.join)

    def _started(self, number: int) -> ForkServerProcess:
        """The first two processes are rescuers, the others workers."""
        if number < 2:
            process = self._nursery.Process(target=maintain, args=(self._around,), daemon=True)
        else:
            process = self._nursery.Process(target=work, args=(self._around, next(self._seeds)), daemon=True)
        process.start()
        return process

    async def _customers(self, org_ids: list[UUID]) -> None:
        """Submit every request under a key of its own, again and again until an answer comes; cancel some."""
        limit = asyncio.Semaphore(8)

        async def one(number: int) -> None:
            org_id = org_ids[number % len(org_ids)]
            ends = self._dice.choices(["well", "retry", "fail"], (90, 5, 5))[0]
            async with limit:
                new = make_request(org_id, payload={"end": ends})

                async def submit() -> str:
                    try:
                        return str((await self._requests.submit_once(new, f"key {number}", b"hash", _id)).request_id)
                    except Replay as replay:
                        return replay.answer

                request_id = await patiently(submit, 60)
                if self._dice.random() < 0.03:
                    await patiently(lambda: self._requests.cancel(org_id, UUID(request_id)), 60)

        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(one(number))

    async def _watch(self) -> None:
        """Tell the killers when every request is final."""
        while not self._all_final.is_set():
            with contextlib.suppress(DatabaseUnavailable):
                async with self._database.connection() as connection:
                    final = await connection.fetchval(f"SELECT count(*) FROM requests WHERE {FINAL}")
                    if final == self._count:
                        self._all_final.set()
            await self._pause(0.1)

    async def _kill_processes(self) -> None:
        while not await self._pause(KILL_EVERY):
            number = self._dice.randrange(len(self.toll.processes))
            process = self.toll.processes[number]
            if self._dice.random() < PAUSED_SHARE:
                self.toll.pauses += 1
                self.toll.blows.append((process.pid or 0, time.time(), time.time() + 1.5 * self._around.lease + 0.5))
                _signal(process, signal.SIGSTOP)
                asyncio.get_running_loop().call_later(1.5 * self._around.lease, _signal, process, signal.SIGCONT)
            else:
                self.toll.kills += 1
                self.toll.blows.append((process.pid or 0, time.time(), float("inf")))
                process.kill()
                await asyncio.to_thread(process.join)
                self.toll.processes[number] = self._started(number)

    async def _kill_database(self, postgres: MortalPostgres) -> None:
        pause = FIRST_DATABASE_KILL
        while not await self._pause(pause):
            pause = DATABASE_KILL_EVERY
            self.toll.database_kills += 1
            postgres.kill()
            await asyncio.to_thread(postgres.start)

    async def _pause(self, seconds: float) -> bool:
        """Wait; True as soon as every request is final."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_final.wait(), seconds)
        return self._all_final.is_set()


def _id(request: Any) -> str:
    return str(request.request_id)


def _signal(process: ForkServerProcess, number: int) -> None:
    """Send a signal to a process that may be dead and replaced by now."""
    if process.pid is not None and process.exitcode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def judged(run: Run, around: Surroundings, count: int, began: float) -> None:
    """Every guarantee holds. Prints the figures of the run (shown with -s or on failure)."""
    async with connected(around.dsn) as connection:
        by_status = dict(await connection.fetch("SELECT status, count(*) FROM requests GROUP BY 1"))
        figures = await connection.fetchrow(
            "SELECT max(attempt) AS worst, count(*) FILTER (WHERE error_code = 'worker_lost') AS lost,"
            " count(*) FILTER (WHERE (outcome->>'attempt')::integer <> attempt) AS foreign_outcomes,"
            " count(*) FILTER (WHERE attempt > 1 AND payload->>'end' <> 'retry') AS retried FROM requests"
        )
        rescued = await connection.fetch(
            "SELECT qworker_id::text, extract(epoch FROM claimed_at)::float AS claimed,"
            " extract(epoch FROM finished_at)::float AS ended FROM attempts WHERE result = 'rescued'"
        )
    stored = sum(len(files) for _, _, files in os.walk(around.folder / "objects"))
    toll = run.toll
    pids = around.pids()
    needless = [row for row in rescued if not toll.struck(pids[row["qworker_id"]], row["claimed"], row["ended"])]
    print(
        f"\n{count} requests {by_status} in {time.monotonic() - began:.1f} s: {toll.kills} kills, {toll.pauses} pauses,"
        f" {toll.database_kills} database kills; {len(needless)} of {len(rescued)} rescues of workers that lived;"
        f" {figures['retried']} retried, worst attempt {figures['worst']}, stale"
        f" begins {around.notes('stale begin')}, stale finishes {around.notes('stale finish')}, orphans"
        f" {stored - 2 * by_status['success']}"
    )
    assert sum(by_status.values()) == count
    assert set(by_status) <= {"success", "failed", "cancelled"}
    assert figures["lost"] == 0, "tries were used up"
    assert figures["foreign_outcomes"] == 0, "an outcome was written by another attempt than the last"
    assert figures["retried"] <= (toll.kills + toll.pauses) * SLOTS
    assert figures["worst"] <= MAX_TRIES
    assert around.errors() == []
    assert await broken_invariants(around.dsn, around.folder / "objects", max_tries=MAX_TRIES) == {}


def surroundings(dsn: str, folder: Path, lease: float = 1.0) -> Surroundings:
    (folder / "objects").mkdir()
    return Surroundings(dsn, folder, lease, MAX_TRIES)


async def played(
    nursery: Any, around: Surroundings, seed: int, count: int, postgres: MortalPostgres | None = None
) -> Run:
    began = time.monotonic()
    run = Run(nursery, around, seed, count, postgres)
    await run.play()
    await judged(run, around, count, began)
    return run


@pytest.mark.timeout(150)
async def test_killed_and_paused_workers_and_rescuers_lose_nothing(
    nursery: Any, database_url: str, tmp_path: Path
) -> None:
    """R1."""
    run = await played(nursery, surroundings(database_url, tmp_path), seed=1, count=200)
    assert run.toll.kills > 5, "too few kills to prove anything"


@pytest.mark.timeout(150)
async def test_killed_databases_lose_nothing(
    nursery: Any, mortal: MortalPostgres, mortal_url: str, tmp_path: Path
) -> None:
    """R2."""
    run = await played(nursery, surroundings(mortal_url, tmp_path), 1, 100, mortal)
    assert run.toll.database_kills > 0, "too few kills to prove anything"


async def test_the_requests_of_a_dead_worker_are_claimed_again_within_a_lease_and_a_round(
    nursery: Any, database_url: str, tmp_path: Path
) -> None:
    """R5, with a lease of one second and a round of a fifth of it."""
    around = surroundings(database_url, tmp_path)
    database = Database(database_url, size=2)
    await database.start()
    requests = Requests(database, keep_seconds=3600)
    org_id = await make_org(database)
    for _ in range(SLOTS):
        await requests.submit(make_request(org_id, payload={"end": "well", "seconds": 60}))
    rescuer = nursery.Process(target=maintain, args=(around,), daemon=True)
    rescuer.start()
    waits: list[float] = []
    killed_at: datetime | None = None
    async with connected(database_url) as connection:
        for attempt in range(1, 5):
            worker = nursery.Process(target=work, args=(around, attempt), daemon=True)
            worker.start()
            claimed = "SELECT count(*) FROM requests WHERE status = 'processing' AND attempt = $1"
            async with asyncio.timeout(60):
                while await connection.fetchval(claimed, attempt) < SLOTS:
                    await asyncio.sleep(0.01)
            if killed_at is not None:
                waits += await connection.fetchval(
                    "SELECT array_agg(extract(epoch FROM claimed_at - $1)::float) FROM attempts WHERE attempt = $2",
                    killed_at,
                    attempt,
                )
            worker.kill()
            killed_at = await connection.fetchval("SELECT clock_timestamp()")
            worker.join()
    rescuer.kill()
    rescuer.join()
    await database.stop()
    waits.sort()
    print(f"\nkill to next claim: p50 {waits[len(waits) // 2]:.2f} s, longest {waits[-1]:.2f} s")
    assert waits[-1] <= around.lease * 1.2 + 1.0, "a lease, a round, and a second for a busy machine"


async def test_a_status_that_customers_saw_survives_the_loss_of_postgresql(
    mortal: MortalPostgres, mortal_url: str
) -> None:
    """A begin that a crash undid would let its request go from dispatched to success."""
    database = Database(mortal_url, size=2)
    await database.start()
    requests = Requests(database, keep_seconds=3600)
    org_id = await make_org(database)
    for _ in range(5):
        submitted = await requests.submit(make_request(org_id))
        running = await started(requests)
        mortal.kill()
        await asyncio.to_thread(mortal.start)
        shown = await patiently(lambda request=submitted: requests.get(org_id, request.request_id), 30)
        assert shown is not None
        assert shown.status is Status.PROCESSING
        assert await requests.finish(running.request_id, running.attempt, success())
    await database.stop()
    assert await broken_invariants(mortal_url) == {}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1, 11))
async def test_a_thousand_requests_survive_killed_workers(
    nursery: Any, database_url: str, tmp_path: Path, seed: int
) -> None:
    await played(nursery, surroundings(database_url, tmp_path), seed, 1000)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1, 11))
async def test_a_thousand_requests_survive_killed_databases(
    nursery: Any, mortal: MortalPostgres, mortal_url: str, tmp_path: Path, seed: int
) -> None:
    await played(nursery, surroundings(mortal_url, tmp_path), seed, 1000, mortal)
