"""A small load generator in a process of its own: `python -m bench.load` reads a Load as JSON, prints a Result."""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import cast
from uuid import uuid4

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """Closed loop: every client sends its next call when the answer to the last has come whole."""

    port: int
    clients: int
    seconds: float
    method: str
    paths: list[str]
    key: str
    body: str = ""
    idempotent: bool = False
    """Send a new Idempotency-Key with each call."""


@dataclass(slots=True)
class Result:
    """Latencies in seconds of every call answered with 200, and what the others were answered."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    refusals: list[str] = field(default_factory=list[str])

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


def measured(load: Load) -> Result:
    """Run a load in another process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=load.seconds + 30,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return Result(**json.loads(done.stdout))


class _Client(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, load: Load, paths: "cycle[str]", result: Result, until: float) -> None:
        self._load, self._paths, self._result, self._until = load, paths, result, until
        self._received = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        now = time.perf_counter()
        if head.startswith(b"HTTP/1.1 200"):
            self._result.latencies.append(now - self._sent)
        else:
            self._result.refusals.append(body.decode())
        self._received = b""
        if now < self._until:
            self._send()
        else:
            self.done.set_result(None)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        load = self._load
        lines = [f"{load.method} {next(self._paths)} HTTP/1.1", "host: bench", f"authorization: Bearer {load.key}"]
        if load.body:
            lines += ["content-type: application/json", f"content-length: {len(load.body)}"]
        if load.idempotent:
            lines.append(f"idempotency-key: {uuid4()}")
        self._sent = time.perf_counter()
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n" + load.body).encode())


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.removeprefix(b"content-length:"))
    raise ValueError("an answer without a length")


async def _run(load: Load) -> Result:
    result, paths = Result(), cycle(load.paths)
    begun = time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = [
        (
            await loop.create_connection(
                lambda: _Client(load, paths, result, begun + load.seconds), "127.0.0.1", load.port
            )
        )[1]
        for _ in range(load.clients)
    ]
    await asyncio.gather(*(client.done for client in clients))
    result.seconds = time.perf_counter() - begun
    return result


if __name__ == "__main__":
    result = uvloop.run(_run(Load(**json.load(sys.stdin))))
    # Not print: the pipe takes part of a long text now and then, and an unbuffered standard output (PYTHONUNBUFFERED)
    # drops the rest; a buffered writer tries again.
    with open(sys.stdout.fileno(), "wb", closefd=False) as out:
        out.write(json.dumps(asdict(result)).encode())
