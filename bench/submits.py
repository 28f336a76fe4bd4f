"""Durable submits: each a transaction of its own, against natural batching."""

import json

from bench.ground import QUEUE, ground
from bench.inserts import inserts
from bench.load import Load
from bench.table import show, spread
from bench.versus import against_bare, contest

SECONDS = 3.0
BODY = json.dumps({"model": "rushes-test", "payload": {"prompt": "A calm ocean at dawn", "frames": 2, "seconds": 0.1}})


NOTES = (
    "promise: >= 1,000/s with p99 <= 50 ms (R7)",
    "target: >= 0.25 of a bare endpoint on the same server (goal 0.35), p99 <= 30 ms (goal 15)",
)


def run() -> None:
    """POST /requests through a real server, with an idempotency key as the SDK sends it."""
    rows: list[list[str]] = []
    for clients in (1, 64):
        with ground() as at:
            load = Load(0, clients, SECONDS, "POST", [f"{QUEUE}/requests"], at.first.key, BODY, idempotent=True)
            base, *others = contest(at, ("one_by_one", "real"), load)
            for one in (base, *others):
                figures = [f"{one.result.rate:,.0f}", *spread(one.result.latencies, 50, 99)]
                ratio = f"{one.result.rate / base.result.rate:.1f}x"
                rows.append([str(clients), one.variant, *figures, f"{one.cpu_microseconds:.0f} us", ratio])
    with ground() as at:
        load = Load(0, 32, SECONDS, "POST", [f"{QUEUE}/requests"], at.first.key, BODY, idempotent=True)
        bare, real = against_bare(at, load)
        for one in (bare, real):
            figures = [f"{one.result.rate:,.0f}", *spread(one.result.latencies, 50, 99)]
            ratio = f"{one.result.rate / bare.result.rate:.2f} of bare"
            rows.append(["32", one.variant, *figures, f"{one.cpu_microseconds:.0f} us", ratio])
        for connections in (1, 32):
            raw = inserts(at, connections, SECONDS)
            ratio = f"{raw.rate / bare.result.rate:.2f} of bare"
            rows.append(
                [str(connections), "raw INSERT loop", f"{raw.rate:,.0f}", *spread(raw.latencies, 50, 99), "", ratio]
            )
    head = ["clients", "server", "submits/s", "p50", "p99", "server CPU", "against one by one"]
    show("Submits, one server process, fsync on", head, rows, *NOTES)
