"""Processes for the kill tests, cheap to start and ended by a signal only: a qworker with its real queue, heartbeat and
objects but without an engine, and the maintenance of a serving process.
"""

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from rushes.artifacts.objects import Objects
from rushes.domain.request import Status
from rushes.queue.maintain import Clocks, Maintenance
from rushes.store.database import Database, DatabaseUnavailable
from rushes.store.files import Files
from rushes.store.listen import Listener
from rushes.store.records import Ending, NewArtifact, Request
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.worker.heartbeat import Beat, Heartbeat
from rushes.worker.patience import patiently
from support.queueing import LANE, make_artifact

SLOTS = 4
PATIENCE = 60.0


@dataclass(frozen=True)
class Surroundings:
    """What every process of one run shares."""

    dsn: str
    folder: Path
    lease: float
    max_tries: int

    @property
    def objects(self) -> Objects:
        return Objects("", self.folder / "objects")

    def note(self, word: str) -> None:
        """Count something, also when we are killed right after."""
        with (self.folder / "notes").open("a") as notes:
            notes.write(f"{word}\n")

    def notes(self, word: str) -> int:
        return self._notes().count(word)

    def pids(self) -> dict[str, int]:
        """The process behind each qworker id."""
        lines = [note.split() for note in self._notes() if note.startswith("worker ")]
        return {qworker_id: int(pid) for _, pid, qworker_id in lines}

    def errors(self) -> list[str]:
        """What attempts died of, other than by a signal."""
        return [note for note in self._notes() if note.startswith("error")]

    def _notes(self) -> list[str]:
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []


def work(around: Surroundings, seed: int) -> None:
    """Claim and run requests for ever."""
    asyncio.run(_Worker(around, random.Random(seed)).run())


def maintain(around: Surroundings) -> None:
    """Rescue for ever, as `rushes serve` does."""
    asyncio.run(_maintain(around))


class _Worker:
    """The claim loop of worker/qworker.py around the steps of worker/attempt.py, with a text file for a video."""

    def __init__(self, around: Surroundings, dice: random.Random) -> None:
        self._around = around
        self._dice = dice
        self._database = Database(around.dsn, size=SLOTS + 2)
        self._requests = Requests(self._database, keep_seconds=3600)
        self._objects = around.objects
        self._held: set[tuple[UUID, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        qworker_id = uuid4()
        lease = timedelta(seconds=self._around.lease)
        self._around.note(f"worker {os.getpid()} {qworker_id}")
        await patiently(self._database.start, PATIENCE)
        Heartbeat(
            self._around.dsn,
            qworker_id,
            lease=lease,
            every=self._around.lease / 3,
            outage_grace=PATIENCE,
            beat=lambda: Beat(list(self._held), draining=False),
            lost=lambda _: None,  # goes on regardless: the fence has to hold, not our good manners
        ).start()
        listener = Listener(self._around.dsn)
        listener.on("rushes_queue", lambda _: self._wake.set())
        await listener.start()
        while True:
            self._wake.clear()
            claimed: list[Request] = []
            with contextlib.suppress(DatabaseUnavailable):
                claimed = await self._requests.claim(qworker_id, [LANE], SLOTS - len(self._tasks), lease)
            for request in claimed:
                task = asyncio.create_task(self._attempt(request))
                self._tasks.add(task)
                task.add_done_callback(self._ended)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await self._wake.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if task.exception():
            self._around.note(f"error {task.exception()!r}")

    async def _attempt(self, request: Request) -> None:
        request_id, attempt = request.request_id, request.attempt
        self._held.add((request_id, attempt))
        try:
            if not await self._kept(lambda: self._requests.begin(request_id, attempt, "loading")):
                self._around.note("stale begin")
                return
            # Some take so long that a paused worker wakes up while another has its request.
            longest = 1.0 if self._dice.random() < 0.1 else 0.1
            await asyncio.sleep(request.payload.get("seconds", self._dice.uniform(0, longest)))
            with contextlib.suppress(DatabaseUnavailable):
                await self._requests.progress(request_id, attempt, 50, "generating")
            await asyncio.sleep(self._dice.uniform(0, 0.1))
            await self._end(request)
        finally:
            self._held.discard((request_id, attempt))

    async def _end(self, request: Request) -> None:
        """As the payload says: retried once, failed, else a success."""
        request_id, attempt = request.request_id, request.attempt
        if request.payload["end"] == "retry" and attempt == 1:
            await self._kept(lambda: self._requests.retry(request_id, attempt, timedelta(0), "ordered"))
        elif request.payload["end"] == "fail":
            ending = Ending(Status.FAILED, error="ordered", error_code="invalid_input", retryable=False)
            await self._kept(lambda: self._requests.finish(request_id, attempt, ending))
        else:
            artifacts = (await self._stored(request, "video"), await self._stored(request, "thumbnail"))
            ending = Ending(Status.SUCCESS, outcome={"attempt": attempt}, artifacts=artifacts, seconds=1.0)
            if not await self._kept(lambda: self._requests.finish(request_id, attempt, ending)):
                self._around.note("stale finish")
                for artifact in artifacts:
                    await self._objects.delete(artifact.path)

    async def _stored(self, request: Request, kind: str) -> NewArtifact:
        file = self._around.folder / f"{os.getpid()}-{request.request_id}-{request.attempt}-{kind}"
        file.write_bytes(f"{kind} of {request.request_id}, attempt {request.attempt}\n".encode() * 200)
        path = f"artifacts/{request.org_id}/{request.request_id}/{request.attempt}/{kind}"
        stored = await self._objects.put(path, file)
        file.unlink()
        return replace(make_artifact(kind), path=path, size_bytes=stored.size_bytes, sha256=stored.sha256)

    async def _kept(self, write: Callable[[], Awaitable[bool]]) -> bool:
        return await patiently(write, PATIENCE)


async def _maintain(around: Surroundings) -> None:
    database = Database(around.dsn, size=3)
    await patiently(database.start, PATIENCE)
    requests = Requests(database, keep_seconds=3600)
    clocks = Clocks(
        every=around.lease / 5, lease=around.lease, max_tries=around.max_tries, record_age=timedelta(days=1)
    )
    await Maintenance(database, requests, Workers(database), Files(database), around.objects, clocks).start()
    await asyncio.Event().wait()
