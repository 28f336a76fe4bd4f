"""Polls of single requests through a real server: from its cache, and read from PostgreSQL each time."""

import asyncio
from uuid import UUID, uuid4

from rushes.domain.request import Status
from rushes.store.database import Database
from rushes.store.records import Ending, NewArtifact
from rushes.store.requests import Requests

from bench.claims import LEASE
from bench.ground import QUEUE, Ground, ground, new_requests
from bench.load import Load
from bench.table import show, spread
from bench.versus import against_bare, contest

SECONDS = 3.0
FINAL, WAITING = 50, 1000


def run() -> None:
    """GET /requests/{id} of finished requests, and of the last fifty in a line of a thousand."""
    rows: list[list[str]] = []
    with ground() as at:
        final, waiting = asyncio.run(_fill(at))
        for what, ids in (("finished", final), ("queued", waiting[-50:])):
            load = Load(0, 32, SECONDS, "GET", [f"{QUEUE}/requests/{i}" for i in ids], at.first.key)
            base, *others = contest(at, ("uncached", "real"), load)
            for one in (base, *others):
                figures = [f"{one.result.rate:,.0f}", *spread(one.result.latencies, 50, 99)]
                ratio = f"{one.result.rate / base.result.rate:.1f}x"
                rows.append([what, one.variant, *figures, f"{one.cpu_microseconds:.0f} us", ratio])
        load = Load(0, 32, SECONDS, "GET", [f"{QUEUE}/requests/{i}" for i in final], at.first.key)
        base, real = against_bare(at, load)
        for one in (base, real):
            figures = [f"{one.result.rate:,.0f}", *spread(one.result.latencies, 50, 99)]
            ratio = f"{one.result.rate / base.result.rate:.2f} of bare"
            rows.append(["finished", one.variant, *figures, f"{one.cpu_microseconds:.0f} us", ratio])
    head = ["request", "server", "polls/s", "p50", "p99", "server CPU", "against uncached"]
    note = "target: cached polls >= 0.7 of a bare endpoint on the same server, p99 <= 8 ms"
    show("Polls, 32 clients, one server process", head, rows, note)


async def _fill(at: Ground) -> tuple[list[UUID], list[UUID]]:
    database = Database(at.database_url)
    await database.start()
    requests = Requests(database, keep_seconds=3600)
    for new in new_requests(FINAL, at.first.org_id, at.first.key_id):
        await requests.submit(new)
    claimed = await requests.claim(uuid4(), [new.lane], FINAL, LEASE)
    for request in claimed:
        await requests.begin(request.request_id, request.attempt, "loading")
        await requests.finish(request.request_id, request.attempt, success_of(request.request_id))
    waiting = new_requests(WAITING, at.first.org_id, at.first.key_id)
    for new in waiting:
        await requests.submit(new)
    await database.stop()
    return [request.request_id for request in claimed], [new.request_id for new in waiting]


def success_of(request_id: UUID) -> Ending:
    """An ending with a video and a thumbnail that nobody stored."""
    made = [
        NewArtifact(uuid4(), kind, f"artifacts/{request_id}/{kind}", "video/mp4", 1000, "0" * 64, 1280, 720, 24.0, 5.0)
        for kind in ("video", "thumbnail")
    ]
    shown = [{name: value for name, value in artifact.as_json().items() if name != "path"} for artifact in made]
    outcome = {"video": shown[0], "thumbnail": shown[1], "seed": 7}
    return Ending(Status.SUCCESS, outcome=outcome, artifacts=tuple(made), seconds=5.0)
