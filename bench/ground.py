"""What a benchmark stands on: a throwaway database with its first key, and processes of our own on it."""

import asyncio
import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import psutil
from rushes.accounts.bootstrap import FirstKey, bootstrap
from rushes.catalog.loader import load_catalog
from rushes.domain.payload import check_payload
from rushes.engines.lanes import lane_of
from rushes.engines.registry import Engines
from rushes.store.embedded import EmbeddedPostgres
from rushes.store.records import NewRequest

QUEUE = "/api/v1/ie/requestqueue/apikey"


@dataclass(frozen=True, slots=True)
class Ground:
    """A prepared database. `data` is the folder of whatever runs on it."""

    data: Path
    database_url: str
    first: FirstKey
    postgres: int
    """Process id of the database's server."""

    def environment(self) -> dict[str, str]:
        return {**os.environ, "RUSHES_DATABASE_URL": self.database_url, "RUSHES_DATA": str(self.data)}


@contextmanager
def ground() -> Generator[Ground]:
    """A new embedded PostgreSQL with fsync on, migrated, with one organisation that has no limits and one key."""
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        try:
            database_url = postgres.start()
            first = asyncio.run(bootstrap(database_url)).key
            assert first is not None, "the database is new"
            assert postgres.pid is not None
            yield Ground(Path(folder), database_url, first, postgres.pid)
        finally:
            postgres.stop()


def new_request(org_id: UUID, key_id: str | None = None) -> NewRequest:
    """A request of the size that a text prompt has, for the engine that does almost nothing."""
    prompt = "A majestic eagle soaring through a clear blue sky, slow cinematic dolly in, warm morning light"
    card = load_catalog(None, test_models=True).find("rushes-test")
    params = check_payload(card, {"prompt": prompt, "seconds": 0.1, "frames": 2, "seed": 7}).params
    engine = Engines().get(card.engine)
    return NewRequest(
        request_id=uuid4(),
        org_id=org_id,
        user_id=None,
        key_id=key_id,
        model=card.id,
        engine=card.engine,
        lane=lane_of(engine, card),
        payload=params,
        params=params,
        plan=engine.normalise(card, params, 7).as_json(),
        quote_micro=1000,
    )


def new_requests(count: int, org_id: UUID, key_id: str | None = None) -> list[NewRequest]:
    one = new_request(org_id, key_id)
    return [replace(one, request_id=uuid4()) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Server:
    """A serving process of real uvicorn."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


def cpu_seconds(*pids: int) -> float:
    """CPU time of processes and all their living descendants."""
    families = [[psutil.Process(pid), *psutil.Process(pid).children(recursive=True)] for pid in pids]
    spent = 0.0
    for process in (process for family in families for process in family):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent += times.user + times.system
    return spent


@contextmanager
def serving(at: Ground, variant: str) -> Generator[Server]:
    """`rushes serve` on a free port; `variant` is one of bench/variant.py, which changes one part of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = [sys.executable, "-m", "bench.variant", variant, str(listening.fileno())]
        with running(command, at, listening.fileno()) as process:
            _until_ready(port, process)
            yield Server(port, psutil.Process(process.pid))


@contextmanager
def running(command: Sequence[str], at: Ground, *descriptors: int) -> Generator["subprocess.Popen[bytes]"]:
    """A process that is ended at the end, and whose log is shown when it died before."""
    log = at.data / "bench.log"
    with log.open("ab") as written:
        process = subprocess.Popen(
            command,
            env=at.environment(),
            pass_fds=descriptors,
            stdout=written,
            stderr=written,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        died = process.poll() is not None
        process.terminate()
        process.wait(60)
        if died:
            print(log.read_text("utf-8", "replace")[-2000:], file=sys.stderr)


def _until_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            continue
        finally:
            connection.close()
    raise RuntimeError("the serving process ended at its start")
