"""A platform of one's own on this machine: `rushes up` as a child process, on a free port and a data folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gmicloud._internal import _keeper
from gmicloud.errors import GmiError

if TYPE_CHECKING:
    from gmicloud.client import AsyncClient, Client

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0


class ServerNotStarted(GmiError):
    """The platform could not be started; the message says why in one sentence."""


@dataclass
class LocalServer:
    """A running platform. Every method but `client` and `async_client` gives payload keys that order an outcome."""

    base_url: str
    api_key: str = field(repr=False)
    data: Path = field(default_factory=Path)

    def client(self, **arguments: Any) -> Client:
        """A client of this server; arguments as for Client."""
        from gmicloud.client import Client

        given: dict[str, Any] = {"api_key": self.api_key, "base_url": self.base_url, **arguments}
        return Client(**given)

    def async_client(self, **arguments: Any) -> AsyncClient:
        """An AsyncClient of this server; arguments as for AsyncClient."""
        from gmicloud.client import AsyncClient

        given: dict[str, Any] = {"api_key": self.api_key, "base_url": self.base_url, **arguments}
        return AsyncClient(**given)

    def refuse(self, status: int) -> dict[str, Any]:
        """The submit is refused with this HTTP status."""
        return {"rushes_fault": {"http": status}}

    def fail(self, error_code: str, *, at: int = 0) -> dict[str, Any]:
        """The request fails with this error_code when its progress reaches `at` percent."""
        return {"rushes_fault": {"fail": error_code, "at": at}}

    def stall(self, seconds: float) -> dict[str, Any]:
        """The engine pauses for that long."""
        return {"rushes_fault": {"stall": seconds}}

    def lose_worker(self) -> dict[str, Any]:
        """The first attempt dies with its worker; a second one follows."""
        return {"rushes_fault": {"lose_worker": True}}


class Platform:
    """`rushes up` as a child process. As a context manager it gives the LocalServer and always stops.

    `command` is the program; default the `rushes` of this environment. It also ends when this process is killed.
    """

    def __init__(self, data: Path, *, command: str | None = None) -> None:
        self._data = data
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data / "platform.log"

    def start(self) -> LocalServer:
        """Start and wait until requests are taken. Raises ServerNotStarted."""
        command = self._command or _rushes()
        self._data.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _keeper.__name__, command, "up", "--port", "0", "--data", str(self._data)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        try:
            return self._await(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it and all its children; does nothing when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        _end(process)
        if process.stdin is not None:
            process.stdin.close()

    def __enter__(self) -> LocalServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _await(self, process: subprocess.Popen[bytes]) -> LocalServer:
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until:
            if process.poll() is not None:
                raise ServerNotStarted(f"rushes up ended with code {process.returncode}: {self._last_words()}")
            address = self._address()
            if address and _is_ready(address):
                key = (self._data / "api-key").read_text("utf-8").strip()
                return LocalServer(address, key, self._data)
            time.sleep(0.05)
        raise ServerNotStarted(f"rushes up was not ready after {START_TIMEOUT:g} s: {self._last_words()}")

    def _address(self) -> str:
        try:
            return str(json.loads((self._data / "platform.json").read_text("utf-8"))["address"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""  # not written yet

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"


def _end(process: subprocess.Popen[bytes]) -> None:
    for _ in range(2):  # the second signal tells it not to wait for what is running
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT)
            return
        except subprocess.TimeoutExpired:
            continue
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _rushes() -> str:
    beside = Path(sys.executable).with_name("rushes")
    found = str(beside) if beside.is_file() else shutil.which("rushes")
    if not found:
        raise ServerNotStarted("the command rushes is not installed in this environment; install the package rushes")
    return found


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 - our own address
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
