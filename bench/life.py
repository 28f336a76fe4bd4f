"""A request's whole life through real processes: submit to dispatched, submit to success, and how many a second."""

import asyncio
import json
import sys

import asyncpg

from bench import bare
from bench.ground import QUEUE, Ground, cpu_seconds, ground, running, serving
from bench.load import Load, measured
from bench.table import percentile, show, spread

SECONDS = 4.0
NOOP = {"frames": 1, "seconds": 0, "width": 16, "height": 16, "progress_steps": 1}
BODY = json.dumps({"model": "rushes-test", "payload": NOOP})
WORKERS = {
    "no engine": [sys.executable, "-m", "bench.noop"],
    "rushes-test": [sys.executable, "-m", "rushes", "worker", "--slots", "2", "--test-models", "--data"],
}


def run() -> None:
    """`POST /requests?wait=30` answers with the final record, by long-poll."""
    rows: list[list[str]] = []
    for worker, command in WORKERS.items():
        for clients in (1, 32):
            with ground() as at:
                given = [*command, str(at.data)] if command[-1] == "--data" else command
                with serving(at, "real") as server, running(given, at) as process:
                    parts = {"server": server.process.pid, "worker": process.pid, "PostgreSQL": at.postgres}
                    rows += _measure(at, server.port, parts, worker, clients)
    head = ["worker", "clients", "what", "a second", "p50", "p99", "of bare"]
    notes = [
        "no engine: claim, begin and finish only; rushes-test: an engine child, one frame, an mp4 and pictures on disk",
        "targets, no engine: submit to success p50 <= 5 ms (goal 3) with 1 client, 400 a second with 32",
    ]
    show("The life of a no-op request, one server and one worker process, fsync on", head, rows, *notes)


def _measure(at: Ground, port: int, parts: dict[str, int], worker: str, clients: int) -> list[list[str]]:
    asyncio.run(_served(at))
    load = Load(port, clients, SECONDS, "POST", [bare.PATH], at.first.key, BODY)
    base = measured(load)
    whole = Load(port, clients, SECONDS, "POST", [f"{QUEUE}/requests?wait=30"], at.first.key, BODY)
    measured(Load(port, clients, 1.0, "POST", whole.paths, at.first.key, BODY))
    asyncio.run(_forget(at))
    before = {part: cpu_seconds(pid) for part, pid in parts.items()}
    life = measured(whole)
    count = len(life.latencies)
    spent = [f"{(cpu_seconds(pid) - before[part]) / count * 1e3:.1f} {part}" for part, pid in parts.items()]
    assert not life.refusals, life.refusals[0]
    dispatched = asyncio.run(_dispatched(at))
    name = [worker, str(clients)]
    return [
        [*name, "bare endpoint", f"{base.rate:,.0f}", *spread(base.latencies, 50, 99), "1.00"],
        [*name, "submit to dispatched", "", *spread(dispatched, 50, 99), ""],
        [
            *name,
            "submit to success",
            f"{life.rate:,.0f}",
            *spread(life.latencies, 50, 99),
            f"{percentile(life.latencies, 50) / percentile(base.latencies, 50):.0f}x as long",
        ],
        [
            *name,
            "CPU, ms a request",
            *spent,
            "",
        ],
    ]


async def _served(at: Ground) -> None:
    """Wait for the qworker."""
    watcher = await asyncpg.connect(at.database_url)
    while not await watcher.fetchval("SELECT count(*) FROM qworkers"):
        continue
    await watcher.close()


async def _forget(at: Ground) -> None:
    """Leave out of the events what was only to warm everybody up."""
    connection = await asyncpg.connect(at.database_url)
    await connection.execute("DELETE FROM events")
    await connection.close()


async def _dispatched(at: Ground) -> list[float]:
    """Seconds from queued to dispatched, by the database's clock."""
    connection = await asyncpg.connect(at.database_url)
    rows = await connection.fetch(
        "SELECT extract(epoch FROM d.at - q.at)::float8 AS wait FROM events q JOIN events d USING (request_id)"
        " WHERE q.status = 'queued' AND d.status = 'dispatched'"
    )
    await connection.close()
    return [row["wait"] for row in rows]
