"""`rushes serve` with open streams, told to stop: it ends them itself, whole, instead of waiting for their clients."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from rushes.accounts.bootstrap import bootstrap

QUEUE = "/api/v1/ie/requestqueue/apikey"


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    """A serving process and a client with a key."""
    made = asyncio.run(bootstrap(database_url)).key
    assert made is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "rushes", "serve", "--data", str(tmp_path), "--test-models"]
        process = subprocess.Popen(
            [*command, "--port", str(port), "--fd", str(listener.fileno())],
            env={**os.environ, "RUSHES_DATABASE_URL": database_url},
            pass_fds=[listener.fileno()],
        )
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {made.key}"}, timeout=120) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


def follow(client: httpx2.Client, path: str) -> Iterator[str]:
    """The lines of a stream. Raises RemoteProtocolError if it is cut instead of ended."""
    with client.stream("GET", path, headers={"Accept": "text/event-stream"}) as stream:
        yield from stream.iter_lines()


def test_streams_are_ended_whole_and_the_process_leaves(
    serve: tuple[subprocess.Popen[bytes], httpx2.Client],
) -> None:
    process, client = serve
    body = {"model": "rushes-test", "payload": {"prompt": "x"}}
    request_id = client.post(f"{QUEUE}/requests", json=body).json()["request_id"]
    everything, one = follow(client, f"{QUEUE}/events"), follow(client, f"{QUEUE}/requests/{request_id}/events")
    for stream in (everything, one):
        assert any(line.startswith("data: ") for line in stream)
    process.send_signal(signal.SIGTERM)
    list(everything)
    list(one)
    process.wait(60)
