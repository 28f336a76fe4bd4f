"""A whole platform in real processes: started, spoken to, killed with real signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil

QUEUE = "/api/v1/ie/requestqueue/apikey"
QUICK = {
    "RUSHES_LEASE_SECONDS": "1.5",
    "RUSHES_HEARTBEAT_SECONDS": "0.4",
    "RUSHES_RESCUE_SECONDS": "0.3",
    "RUSHES_RETRY_DELAYS": "[0.05]",
    "RUSHES_CANCEL_GRACE_SECONDS": "1",
}
"""Figures at which a crash test does not have to wait for the real ones."""


class RunningPlatform:
    """`rushes up` on a data folder of its own."""

    def __init__(self, data: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._options = options
        self._environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    def start(self) -> None:
        """Returns at the signal that users get too: the line that says ready."""
        command = [sys.executable, "-m", "rushes", "up", "--port", "0", "--data", str(self.data), *self._options]
        self.said = []
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("ready in"):
                break
        else:
            raise AssertionError(f"the platform did not start: {''.join(self.said)}\n{self.logs()}")
        facts = json.loads((self.data / "platform.json").read_text("utf-8"))
        self.address, self.database_url = facts["address"], facts["database_url"]
        self.key = (self.data / "api-key").read_text("utf-8").strip()

    def client(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.address + QUEUE,
            headers={"Authorization": f"Bearer {self.key}"},
            trust_env=False,
            timeout=90,
        )

    def children(self, word: str) -> list[psutil.Process]:
        """The supervisor's descendants whose command line has this word, such as serve, worker or -D."""
        assert self.process is not None
        found: list[psutil.Process] = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if word in child.cmdline():
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def kill_all(self) -> None:
        """kill -9 of everything at once, the supervisor first, PostgreSQL too."""
        assert self.process is not None
        supervisor = psutil.Process(self.process.pid)
        everybody = [supervisor, *supervisor.children(recursive=True)]
        for process in everybody:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self.process.wait()
        psutil.wait_procs(everybody[1:], timeout=60)
        self._close()

    def terminate(self) -> int:
        """Ctrl-C, and the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(60)
        self._close()
        return status

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill_all()
        self._close()

    def logs(self) -> str:
        return "\n".join(
            f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-3000:]}"
            for log in sorted(self.data.glob("logs/*.log"))
        )

    def _close(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def running_platform(
    data: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningPlatform]:
    platform = RunningPlatform(data, *options, environment=environment)
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


def submitted(client: httpx2.Client, model: str, payload: Mapping[str, Any], **more: Any) -> str:
    """The id of a new request."""
    answer = client.post("/requests", json={"model": model, "payload": dict(payload), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["request_id"]


def final(client: httpx2.Client, request_id: str) -> dict[str, Any]:
    """The final record, by long-poll: no sleeping."""
    for _ in range(8):
        record = client.get(f"/requests/{request_id}", params={"wait": 15}).json()
        if record["status"] in ("success", "failed", "cancelled"):
            return record
    raise AssertionError(f"never final: {record}")


def until(client: httpx2.Client, request_id: str, *, progress: int) -> dict[str, Any]:
    """Read the event stream until an attempt has come so far."""
    headers = {"Accept": "text/event-stream"}
    with client.stream("GET", f"/requests/{request_id}/events", headers=headers) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line[6:])
                if event["status"] == "processing" and (event["progress"] or 0) >= progress:
                    return event
                assert event["status"] not in ("success", "failed", "cancelled"), event
    raise AssertionError("the stream ended early")
