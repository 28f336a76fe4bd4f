"""Claims with 100 and 10,000 requests queued."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

from rushes.store.database import Database
from rushes.store.requests import Requests

from bench.ground import Ground, ground, new_requests
from bench.table import percentile, show, spread

LEASE = timedelta(seconds=30)


def run() -> None:
    """Claim one at a time; the same with 16 slots free; the position of the last in line."""
    rows: list[list[str]] = []
    for queued in (100, 10_000):
        with ground() as at:
            rows += asyncio.run(_measure(at, queued))
    show("Claims", ["queued", "what", "p50", "p99", "against 100"], _compared(rows), "promise: claim p99 <= 20 ms (R7)")


def _compared(rows: list[list[str]]) -> list[list[str]]:
    base = {row[1]: float(row[4]) for row in rows if row[0] == "100"}
    return [[*row[:4], f"{float(row[4]) / base[row[1]]:.2f}x"] for row in rows]


async def _measure(at: Ground, queued: int) -> list[list[str]]:
    database = Database(at.database_url)
    await database.start()
    requests = Requests(database, keep_seconds=3600)
    new = new_requests(queued, at.first.org_id, at.first.key_id)
    for start in range(0, queued, 50):
        await asyncio.gather(*(requests.submit(one) for one in new[start : start + 50]))
    last = new[-1].request_id
    lanes = [new[0].lane, "animatic"]
    timings: dict[str, list[float]] = {"claim 1": [], "claim 16": [], "position": []}
    for _ in range(20):
        timings["position"].append(await _timed(requests.position(last)))
    for slots, times in ((1, 60), (16, 2) if queued == 100 else (16, 60)):
        for _ in range(times):
            timings[f"claim {slots}"].append(await _timed(requests.claim(uuid4(), lanes, slots, LEASE)))
    await database.stop()
    return [
        [f"{queued:,}", name, *spread(values, 50, 99), str(percentile(values, 50))] for name, values in timings.items()
    ]


async def _timed(call) -> float:  # type: ignore[no-untyped-def]
    begun = time.perf_counter()
    await call
    return time.perf_counter() - begun
