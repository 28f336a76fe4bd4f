"""Claims, by how many requests are queued: 100, 10,000 and 1,000,000; also from lanes, and behind who may not run."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID, uuid4

from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.requests import Requests

from bench.ground import Ground, ground, new_request
from bench.table import percentile, show, spread

LEASE = timedelta(seconds=30)
DEPTHS = (100, 10_000, 1_000_000)
CLAIMS = 80
ORGANISATIONS = 40
BARE = "a bare commit"
FILL = """
INSERT INTO requests (request_id, org_id, model, engine, lane, status, waiting, start_tag, payload, params, plan,
                      event_n, limited, webhook_events)
SELECT gen_random_uuid(), $2, 'm', 'faults', $3, 'queued', true, n, one.payload, one.params, one.plan, 1, $4, '{}'
  FROM generate_series(1, $1::integer) AS n, (SELECT payload, params, plan FROM requests LIMIT 1) one
"""
COMMIT = "INSERT INTO operate_events (kind, subject, actor) VALUES ('bench', 'bench', 'bench')"


def run() -> None:
    """One claim at a time; 16 in one; from two lanes of which one is loaded; behind a line at its limit."""
    rows: list[list[str]] = []
    for queued in DEPTHS:
        with ground() as at:
            rows += asyncio.run(_measure(at, queued))
    show(
        "Claims",
        ["queued", "what", "p50", "p99", "against a bare commit", "against 100"],
        _compared(rows),
        f"{BARE}: one row inserted and synced, between any two claims of the same run",
        "behind a limit: all of the line but 80 are of an organisation that may run nothing",
        "promise: claim p99 <= 20 ms at any depth",
    )


def _compared(rows: list[list[str]]) -> list[list[str]]:
    bare = {row[0]: float(row[4]) for row in rows if row[1] == BARE}
    base = {row[1]: float(row[4]) / bare[row[0]] for row in rows if row[0] == "100"}
    times = [float(row[4]) / bare[row[0]] for row in rows]
    return [[*row[:4], f"{ratio:.2f}x", f"{ratio / base[row[1]]:.2f}x"] for row, ratio in zip(rows, times, strict=True)]


async def _measure(at: Ground, queued: int) -> list[list[str]]:
    database = Database(at.database_url, size=1, answer_seconds=600, plan_once=True)
    await database.start()
    requests = Requests(database, keep_seconds=3600)
    await requests.submit(new_request(at.first.org_id, at.first.key_id))
    await _fill_lanes(at, database, queued)
    timings: dict[str, list[float]] = {BARE: []}
    few = 2 if queued == DEPTHS[0] else 20
    for what, slots, times, lanes, ready in (
        ("one", 1, CLAIMS, ["one"], None),
        ("16 in one", 16, few, ["one"], None),
        ("from two lanes, one loaded", 1, CLAIMS, ["loaded", "one"], ["loaded"]),
        ("behind a limit", 1, CLAIMS, ["limited"], None),
    ):
        timings[what] = []
        for _ in range(times):
            timings[what].append(await _timed(requests.claim(uuid4(), lanes, slots, LEASE, ready=ready)))
            async with database.connection() as connection:
                timings[BARE].append(await _timed(connection.execute(COMMIT)))
    await database.stop()
    return [
        [f"{queued:,}", name, *spread(values, 50, 99), str(percentile(values, 50))] for name, values in timings.items()
    ]


async def _fill_lanes(at: Ground, database: Database, queued: int) -> None:
    accounts = Accounts(database)
    orgs = [at.first.org_id, *[await accounts.add_organisation(f"org {n}") for n in range(ORGANISATIONS - 1)]]
    for org_id in orgs:
        await _fill(database, max(4, queued // ORGANISATIONS), org_id, "one")
        await _fill(database, 4, org_id, "loaded")
    await accounts.set_limits(orgs[1], {}, 0)
    await _fill(database, queued, orgs[1], "limited", limited=True)
    await _fill(database, CLAIMS, orgs[2], "limited")
    async with database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("VACUUM ANALYZE requests", timeout=600)


async def _fill(database: Database, count: int, org_id: UUID, lane: str, *, limited: bool = False) -> None:
    """Queued requests with tags one after the other, as submits would have left them."""
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = off")
        await connection.execute(FILL, count, org_id, lane, limited, timeout=600)


async def _timed(call: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await call
    return time.perf_counter() - begun
