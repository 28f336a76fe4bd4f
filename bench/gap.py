"""How long an engine stands idle between two queued requests, by its own clock: against holding it to the finish."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncpg
from rushes.config import Settings
from rushes.engines.engine import Plan
from rushes.store.database import Database
from rushes.store.records import NewRequest
from rushes.store.requests import Requests

from bench.ground import Ground, ground, new_request, running
from bench.known_length import clip, install
from bench.table import percentile, show, spread

PICTURE = Path(__file__).parents[1] / "examples" / "pictures" / "coffee.png"
REQUESTS = 10
FETCH_SECONDS = 0.3
"""How long the web site takes that holds the input."""
LOADS = {
    "0.8 s for 1 s of 320x180": (clip((320, 180), 24, 0.8), False),
    "4 s for 5 s of 1280x720": (clip((1280, 720), 120, 4), False),
    f"3 s for 1 s of 640x360 after an image that takes {FETCH_SECONDS} s to come": (clip((640, 360), 24, 3), True),
}


def run() -> None:
    """Each load with both qworkers, one after the other."""
    rows: list[list[str]] = []
    for name, (plan, with_input) in LOADS.items():
        base = 0.0
        for how in ("holding", "ours"):
            gaps = _gaps(how, plan, with_input)
            base = base or percentile(gaps, 50)
            label = f"{name}: {'held to the finish' if how == 'holding' else 'as it is'}"
            rows.append([label, str(len(gaps)), *spread(gaps, 50, 95), f"{base / percentile(gaps, 50):.0f}x"])
    head = ["what the engine does for a request", "gaps", "p50", "p95", "times shorter"]
    show("Idle gap of an engine between two queued requests", head, rows, "promise: p95 under 50 ms")


def _gaps(how: str, plan: Plan, with_input: bool) -> list[float]:
    with ground() as at, _site() as port:
        added = install(at.data / "engine")
        added |= {"RUSHES_ENGINES": "known-length", "RUSHES_ALLOW_PRIVATE": "127.0.0.0/8"}
        added["RUSHES_EGRESS_PORTS"] = str(port)
        asyncio.run(_submitted(at, plan, f"http://127.0.0.1:{port}/coffee.png" if with_input else None))
        command = ["env", *(f"{name}={value}" for name, value in added.items())]
        with running([*command, sys.executable, "-m", "bench.gap", how], at) as process:
            asyncio.run(_finished(at, process))
        words = [line.split() for line in Path(added["RUSHES_BENCH_LOG"]).read_text().splitlines()]
    times = {kind: [float(at) for word, at in words if word == kind] for kind in ("began", "done")}
    gaps = [began - done for done, began in zip(times["done"], times["began"][1:], strict=False)]
    return gaps[1:]  # every statement is new to the first one


async def _submitted(at: Ground, plan: Plan, address: str | None) -> None:
    database = Database(at.database_url)
    await database.start()
    requests = Requests(database, keep_seconds=60)
    for _ in range(REQUESTS):
        await requests.submit(_request(at, plan, address))
    await database.stop()


def _request(at: Ground, plan: Plan, address: str | None) -> NewRequest:
    new = replace(new_request(at.first.org_id, at.first.key_id), model="bench-clip", engine="known-length")
    new = replace(new, lane="known-length/bench-clip", plan=plan.as_json(), params={"plan": plan.as_json()})
    if address is None:
        return new
    plan = replace(plan, inputs={"image": address})
    entry = {"param": "first_frame", "index": 0, "kind": "image", "role": "image", "source": {"url": address}}
    params = {"plan": plan.as_json(), "first_frame": address}
    return replace(new, plan=plan.as_json(), params=params, media=[entry])


async def _finished(at: Ground, process: "subprocess.Popen[bytes]") -> None:
    """Wait until every request has been made, or the qworker has died. Raises TimeoutError if that takes too long."""
    watcher = await asyncpg.connect(at.database_url)
    told = asyncio.Event()
    await watcher.add_listener("rushes_request", lambda *_: told.set())
    async with asyncio.timeout(REQUESTS * 30):
        while await watcher.fetchval("SELECT count(*) FROM requests WHERE status = 'success'") < REQUESTS:
            if process.poll() is not None:
                raise RuntimeError("the qworker ended")
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await told.wait()
            told.clear()
    await watcher.close()


@contextmanager
def _site() -> Generator[int]:
    """A web site with one picture that takes its time."""
    picture = PICTURE.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(FETCH_SECONDS)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


async def _work(how: str) -> None:
    """A qworker as `rushes worker` runs it, or one that keeps its engine to the finish and claims nothing ahead."""
    from rushes.worker.assembly import assembled
    from rushes.worker.turns import Turn

    if how == "holding":
        give_back, end = Turn.give_back, Turn.end

        def end_all(turn: Turn) -> None:
            give_back(turn)
            end(turn)

        Turn.give_back = Turn.ends_soon = lambda _: None
        Turn.end = end_all
    async with assembled(Settings(), None, sole=False) as worker:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, partial(worker.drain))
        await worker.run()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
