"""Real processes of one platform, held exactly where a crash test wants them: `rushes serve` and `rushes worker`.

They are forked from a process that has imported everything, so that each starts in some milliseconds. At a named moment
(rushes/moments.py) one tells the test where it is and waits there to be killed, paused, cut off or let go.
"""

import contextlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2
from rushes import moments
from rushes.accounts.bootstrap import FirstKey
from support.platform import QUEUE, QUICK

PATIENCE = 60.0
BRIEF = {"lease_seconds": "1", "heartbeat_seconds": "0.15", "rescue_seconds": "0.1"}
"""For workers that will be lost, and for whoever rescues."""
STEADY = {"lease_seconds": "10", "heartbeat_seconds": "0.3", "rescue_seconds": "0.1"}
"""For workers that are not to lose a lease because the machine is busy."""
PAYLOAD = {"frames": 2, "seconds": 0.05, "width": 32, "height": 32, "progress_steps": 2}
"""The least that makes a film."""


class Actor:
    """One process. `held` moments stop it, each once."""

    def __init__(self, nursery: Any, command: str, environment: Mapping[str, str], held: tuple[str, ...], given: Any):
        self._line, theirs = nursery.Pipe()
        self.process = nursery.Process(target=_act, args=(theirs, command, dict(environment), held, given))
        self.process.start()
        theirs.close()

    def reached(self) -> str:
        """Wait for the process to stand at the next held moment; its name."""
        assert self._line.poll(PATIENCE), f"no moment was reached: {self.process}"
        return self._line.recv()

    def go(self) -> None:
        """Let the process go on from where it stands."""
        self._line.send("go")

    def kill(self) -> None:
        """kill -9; returns once it is dead."""
        self.process.kill()
        self.process.join()

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, "it did not end"
        return self.process.exitcode

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def limit_files(self, size: int) -> None:
        """From now on no file of the process grows past `size` bytes; it fails as on a full disk."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Stage:
    """A database, an object folder, a listening socket that outlives every server, and who acts on them."""

    def __init__(self, nursery: Any, database_url: str, data: Path, first: FirstKey | None) -> None:
        self._nursery = nursery
        self.database_url = database_url
        self.data = data
        self.first = first
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._actors: list[Actor] = []

    @property
    def objects(self) -> Path:
        return self.data / "objects"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self, *held: str, environment: Mapping[str, str] | None = None, **settings: str) -> Actor:
        """`rushes serve` behind the stage's socket: calls made before it is ready wait for it."""
        return self._act("serve", held, environment or {}, settings, self._socket)

    def worker(
        self, *held: str, environment: Mapping[str, str] | None = None, clock_shift: float = 0, **settings: str
    ) -> Actor:
        """`rushes worker` with one slot; `clock_shift`: how many seconds its time.time() goes wrong."""
        return self._act("worker", held, environment or {}, settings, clock_shift)

    def _act(
        self, command: str, held: tuple[str, ...], more: Mapping[str, str], settings: Mapping[str, str], given: Any
    ) -> Actor:
        environment = {
            **more,
            **QUICK,
            "RUSHES_DATABASE_URL": self.database_url,
            "RUSHES_DATA": str(self.data),
            "RUSHES_PUBLIC_URL": self.address,
            "RUSHES_TEST_MODELS": "1",
            "RUSHES_ENGINES": "faults",
            "RUSHES_LOG_LEVEL": "error",
            **{f"RUSHES_{name.upper()}": value for name, value in settings.items()},
        }
        actor = Actor(self._nursery, command, environment, held, given)
        self._actors.append(actor)
        return actor

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.address + QUEUE,
            headers={"Authorization": f"Bearer {self.first.key}"} if self.first else {},
            trust_env=False,
            timeout=PATIENCE,
        )

    def close(self) -> None:
        for actor in self._actors:
            actor.kill()
        self._socket.close()


def _act(line: Connection, command: str, environment: dict[str, str], held: tuple[str, ...], given: Any) -> None:
    """The life of an actor: what `rushes serve` and `rushes worker` do, and a stop at each held moment."""
    from rushes.cli import main

    os.environ.update(environment)
    left = set(held)

    def stop(name: str) -> None:
        if name in left:
            left.discard(name)
            line.send(name)
            line.recv()

    moments.listen(stop)
    sys.argv = ["rushes", command, "--data", environment["RUSHES_DATA"]]
    if command == "serve":
        sys.argv += ["--fd", str(given.detach())]
    elif given:
        right = time.time
        time.time = lambda: right() + given
    main()


async def submitted(client: httpx2.AsyncClient, key: str | None = None, **payload: Any) -> str:
    """The id of a new request, as a patient client gets it: asked again while there is no answer or a 503."""
    headers = {"Idempotency-Key": key} if key else {}
    body = {"model": "rushes-test", "payload": {**PAYLOAD, **payload}}
    while True:
        with contextlib.suppress(httpx2.TransportError):
            answer = await client.post("/requests", json=body, headers=headers)
            if answer.status_code == 200:
                return answer.json()["request_id"]
            assert answer.status_code == 503, answer.text


async def final(client: httpx2.AsyncClient, request_id: str) -> dict[str, Any]:
    """The record once its status is final; an outage of the database may be in between."""
    while True:
        answer = await client.get(f"/requests/{request_id}", params={"wait": 20})
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200 and answer.json()["status"] in ("success", "failed", "cancelled"):
            return answer.json()
