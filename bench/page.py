"""The web page: what the server takes for it beside how long the history is, and what a browser makes of it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2
import psutil
from rushes.accounts.bootstrap import create_key
from rushes.store.accounts import Accounts
from rushes.store.database import Database

from bench import page_browser
from bench.history import copy_request
from bench.table import percentile, show, spread

QUEUE = "/api/v1/ie/requestqueue/apikey"
ROUNDS = 40
SIZES = (100, 1_000, 100_000)
WORDS = "of a heron among reeds, slow dolly in, morning light"


@dataclass(frozen=True, slots=True)
class Up:
    """A running platform."""

    address: str
    database_url: str
    key: str
    pid: int

    def server(self) -> psutil.Process:
        """The process that answers."""
        return next(each for each in psutil.Process(self.pid).children(recursive=True) if "serve" in each.cmdline())


def run() -> None:
    """Fills organisations by SQL, then reads their pages in turns; then the browser; then a stop."""
    with platform() as up:
        with httpx2.Client(trust_env=False, headers={"Authorization": f"Bearer {up.key}"}, timeout=60) as client:
            made = _film(client, up.address)
        keys = {size: asyncio.run(_filled(up, made, size)) for size in SIZES}
        cookies = {size: signed_in(up.address, key) for size, key in keys.items()}
        _pages(up, keys, cookies)
        page_browser.run(up.address, cookies[1_000], cookies[100_000])
        _stop(up, cookies[SIZES[0]])


@contextmanager
def platform() -> Generator[Up]:
    """`rushes up` with the test models, on a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        command = [sys.executable, "-m", "rushes", "up", "--port", "0", "--data", folder, "--test-models"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        with process.stdout as said:
            if not any(line.startswith("ready in") for line in iter(said.readline, "")):
                raise RuntimeError("the platform did not start")
            facts = json.loads((Path(folder) / "platform.json").read_text("utf-8"))
            key = (Path(folder) / "api-key").read_text("utf-8").strip()
            try:
                yield Up(facts["address"], facts["database_url"], key, process.pid)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(60)


def signed_in(address: str, key: str) -> Mapping[str, str]:
    """The cookie of a browser that has given a key."""
    answer = httpx2.post(f"{address}/sign-in", data={"key": key}, trust_env=False)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    return {name: rest.partition(";")[0]}


def _film(client: httpx2.Client, address: str) -> UUID:
    """A request whose film and thumbnail are there."""
    body = {"model": "rushes-test", "payload": {"prompt": "The first", "seconds": 0.1, "frames": 2}}
    request_id = client.post(f"{address}{QUEUE}/requests", json=body).json()["request_id"]
    while client.get(f"{address}{QUEUE}/requests/{request_id}?wait=15").json()["status"] != "success":
        pass
    return UUID(request_id)


async def _filled(up: Up, request_id: UUID, size: int) -> str:
    """The key of a new organisation with so many requests."""
    database = Database(up.database_url, size=1)
    await database.start()
    org_id = await Accounts(database).add_organisation(f"history of {size}")
    key = await create_key(Accounts(database), org_id, "bench")
    await database.stop()
    connection = await asyncpg.connect(up.database_url)
    await copy_request(connection, request_id, size, org_id, WORDS)
    # All are in the search index, as they would be had they come one by one.
    await connection.execute("UPDATE search_mark SET indexed_until = greatest(indexed_until, clock_timestamp())")
    await connection.execute("ANALYZE requests, request_terms")
    await connection.close()
    return key.key


def _pages(up: Up, keys: Mapping[int, str], cookies: Mapping[int, Mapping[str, str]]) -> None:
    """Each page from the first byte asked to the last one read, in turns."""
    few, most = SIZES[0], SIZES[-1]
    own = httpx2.get(
        f"{up.address}{QUEUE}/requests?limit=1", headers={"Authorization": f"Bearer {keys[most]}"}, trust_env=False
    ).json()["requests"][0]["request_id"]
    questions = {
        f"list of {few:,}": (few, "/requests"),
        f"list of {SIZES[1]:,}": (SIZES[1], "/requests"),
        f"list of {most:,}": (most, "/requests"),
        f"by id, of {most:,}": (most, f"/requests?q={own}"),
        f"by beginning of id, of {most:,}": (most, f"/requests?q={own[:8]}"),
        f"by word that one has, of {most:,}": (most, f"/requests?q={most - 7}"),
        f"by word that all have, of {most:,}": (most, "/requests?q=heron"),
    }
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    clients = {
        size: httpx2.Client(base_url=up.address, cookies=dict(kept), headers=headers, trust_env=False, timeout=60)
        for size, kept in cookies.items()
    }
    times: dict[str, list[float]] = {name: [] for name in questions}
    sizes: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, (size, path) in questions.items():
            begun = time.perf_counter()
            with clients[size].stream("GET", path) as answer:
                sizes[name] = sum(len(part) for part in answer.iter_raw())
            times[name].append(time.perf_counter() - begun)
            assert answer.status_code == 200, (name, answer.status_code)
    base = percentile(times[f"list of {few:,}"], 50)
    rows = [
        [name, *spread(took, 50, 95), f"{sizes[name] / 1e3:.1f} kB", f"{percentile(took, 50) / base:.2f}x"]
        for name, took in times.items()
    ]
    note = "promise: first page under 100 kB and 200 ms; search by id and by word under 100 ms"
    show("Pages of requests, compressed", ["page", "p50", "p95", "bytes", "against the shortest"], rows, note)


def _stop(up: Up, cookies: Mapping[str, str]) -> None:
    """How long a stream and its server live after SIGTERM."""
    headers = {"Accept": "text/event-stream", "Sec-Fetch-Site": "same-origin"}
    client = httpx2.Client(base_url=up.address, cookies=dict(cookies), headers=headers, trust_env=False, timeout=60)
    server = up.server()
    with client, client.stream("GET", "/api/v1/ie/requestqueue/events") as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line.startswith("data: "))
        begun = time.perf_counter()
        os.kill(server.pid, signal.SIGTERM)
        for _ in lines:
            pass
        ended = time.perf_counter() - begun
    server.wait(60)
    rows = [["end of its stream", f"{ended:.2f} s"], ["end of its process", f"{time.perf_counter() - begun:.2f} s"]]
    show("A server told to stop while a page listens", ["from SIGTERM to the", "took"], rows, "promise: 1 s")
