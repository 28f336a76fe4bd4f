"""How long a request waits although a qworker is idle: woken by NOTIFY, against polling."""

import asyncio
import random
import signal
import sys

import asyncpg
from rushes.config import Settings
from rushes.store.database import Database
from rushes.store.requests import Requests
from rushes.telemetry import configure

from bench.ground import Ground, ground, new_requests, running
from bench.table import percentile, show, spread

SUBMITS = {"woken": 100, "polling": 25}
POLL = 1.0
"""Seconds between two polls of the qworker that hears nothing; ours polls every five, and is woken."""


def run() -> None:
    """From the row's own clock: queued to dispatched. Submits come at random moments, each when the last is done."""
    rows: list[list[str]] = []
    base = hot = 0.0
    for how, name in (("polling", f"polling, every {POLL:.0f} s"), ("woken", "woken")):
        with ground() as at, running([sys.executable, "-m", "bench.wakeup", how], at):
            waits, hot = asyncio.run(_waits(at, SUBMITS[how]))
        middle = percentile(waits, 50)
        base = base or middle
        rows.append([name, str(len(waits)), *spread(waits, 50, 95, 99), f"{base / middle:.0f}x"])
    head = ["idle qworker", "submits", "p50", "p95", "p99", "times sooner"]
    notes = ["promise: well under 50 ms", f"updates of requests that moved no index entry (HOT): {hot:.0%}"]
    show("Wake-up: submit to dispatched", head, rows, *notes)


async def _waits(at: Ground, submits: int) -> tuple[list[float], float]:
    """Seconds from queued to dispatched, and the share of HOT updates."""
    database = Database(at.database_url)
    await database.start()
    requests = Requests(database, keep_seconds=60)
    watcher = await asyncpg.connect(at.database_url)
    done = asyncio.Event()
    await watcher.add_listener("rushes_request", lambda *_: done.set())
    await _served(watcher)
    for number, new in enumerate(new_requests(submits + 3, at.first.org_id, at.first.key_id)):
        request = await requests.submit(new)
        while True:
            done.clear()
            status = await watcher.fetchval("SELECT status FROM requests WHERE request_id = $1", request.request_id)
            if status == "success":
                break
            async with asyncio.timeout(30):
                await done.wait()
        await asyncio.sleep(random.uniform(0, 0.05 if submits > 50 else POLL))
        if number < 3:  # the engine's child and every statement are new to the first ones
            await watcher.execute("DELETE FROM events")
    rows = await watcher.fetch(
        "SELECT extract(epoch FROM d.at - q.at)::float8 AS wait FROM events q JOIN events d USING (request_id)"
        " WHERE q.status = 'queued' AND d.status = 'dispatched'"
    )
    await asyncio.sleep(2)  # statistics are written once a second at most
    hot = await watcher.fetchval(
        "SELECT n_tup_hot_upd::float8 / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'requests'"
    )
    await watcher.close()
    await database.stop()
    return [row["wait"] for row in rows], hot


async def _served(watcher: "asyncpg.Connection[asyncpg.Record]") -> None:
    while not await watcher.fetchval("SELECT count(*) FROM qworkers"):
        continue


async def _work(how: str) -> None:
    """A qworker as `rushes worker` runs it, or one that is deaf and polls."""
    from rushes.worker import qworker as module
    from rushes.worker.assembly import assembled

    async with assembled(Settings(test_models=True), None, sole=False) as crew:
        (worker,) = crew.qworkers
        if how == "polling":
            module.POLL_SECONDS = POLL
            worker._queued = lambda lane: None  # type: ignore[method-assign]
            worker._listener._handlers["rushes_queue"] = []
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.drain)
        await worker.run()


if __name__ == "__main__":
    configure("warning")
    asyncio.run(_work(sys.argv[1]))
