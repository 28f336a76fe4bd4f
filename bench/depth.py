"""R7: submits, lists and records while 10,000 requests are queued; the same with an empty queue beside it."""

import asyncio
from collections.abc import Callable

from rushes.store.database import Database
from rushes.store.submits import Entry, submit_together

from bench import bare
from bench.ground import QUEUE, Ground, ground, new_requests, serving
from bench.load import Load, measured
from bench.submits import BODY
from bench.table import percentile, show, spread

QUEUED = 10_000
TOGETHER = 500
SECONDS = 4.0
CLIENTS = 32
MODEL = "rushes-test"


def run() -> None:
    """Each depth has a database and a server of its own; the bare endpoint of the same server is the baseline."""
    rows: list[list[str]] = []
    for queued in (0, QUEUED):
        with ground() as at:
            asyncio.run(_fill(at, queued))
            with serving(at, "real") as server:
                rows += _measure(at, server.port, lambda server=server: server.process.memory_info().rss, queued)
    head = ["queued", "what", "a second", "p50", "p99", "p50 of bare"]
    show(
        f"Under a deep queue, {CLIENTS} clients (lists: 4), one server process, fsync on",
        head,
        rows,
        "promise (R7): submits >= 1,000 a second with p99 <= 50 ms, list <= 100 ms, memory flat; claims: `claims`",
    )


def _measure(at: Ground, port: int, resident: Callable[[], int], queued: int) -> list[list[str]]:
    def load(method: str, path: str, clients: int, body: str = "", *, once: bool = False) -> Load:
        return Load(port, clients, SECONDS, method, [path], at.first.key, body, idempotent=once)

    base = measured(load("GET", bare.PATH, CLIENTS))
    before = resident()
    rows = [[f"{queued:,}", "bare endpoint", f"{base.rate:,.0f}", *spread(base.latencies, 50, 99), "1.0x"]]
    for what, given in (
        ("list, 100 newest", load("GET", f"{QUEUE}/requests?limit=100", 4)),
        ("list, by model and status", load("GET", f"{QUEUE}/requests?model_id={MODEL}&status=queued&limit=100", 4)),
        ("submit", load("POST", f"{QUEUE}/requests", CLIENTS, BODY, once=True)),
    ):
        result = measured(given)
        assert not result.refusals, result.refusals[0]
        ratio = percentile(result.latencies, 50) / percentile(base.latencies, 50)
        rows.append([f"{queued:,}", what, f"{result.rate:,.0f}", *spread(result.latencies, 50, 99), f"{ratio:.0f}x"])
    rows.append([f"{queued:,}", "memory", f"{before >> 20} -> {resident() >> 20} MiB", "", "", ""])
    return rows


async def _fill(at: Ground, queued: int) -> None:
    database = Database(at.database_url, size=1)
    await database.start()
    news = new_requests(queued, at.first.org_id, at.first.key_id)
    for start in range(0, queued, TOGETHER):
        async with database.transaction() as connection:
            await submit_together(connection, [Entry(new) for new in news[start : start + TOGETHER]])
    await database.stop()
