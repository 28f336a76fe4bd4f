"""A pytest plugin: fixture `gmicloud_server`, a real local platform that makes real files and fails on command.

    def test_my_code_survives_a_lost_worker(gmicloud_server):
        client = gmicloud_server.client()
        record = client.generate("wan2.7-i2v", prompt="a calm sea", **gmicloud_server.lose_worker())
        assert record.attempt == 2

The plugin is loaded by every test run of the environment, so nothing heavy is imported before the fixture is used.
"""

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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gmicloud.client import AsyncClient, Client

START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0


class ServerNotStarted(Exception):
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

        return Client(**{"api_key": self.api_key, "base_url": self.base_url, **arguments})

    def async_client(self, **arguments: Any) -> AsyncClient:
        """An AsyncClient of this server; arguments as for AsyncClient."""
        from gmicloud.client import AsyncClient

        return AsyncClient(**{"api_key": self.api_key, "base_url": self.base_url, **arguments})

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
    """`rushes up` as a child process, on a free port and a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data / "platform.log"

    def start(self) -> LocalServer:
        """Start and wait until requests are taken. Raises ServerNotStarted."""
        command = _rushes()
        self._data.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [command, "up", "--port", "0", "--data", str(self._data)],
                stdin=subprocess.DEVNULL,
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
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

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


@pytest.fixture(scope="session")
def gmicloud_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A real platform on loopback, started once for the whole test run."""
    platform = Platform(tmp_path_factory.mktemp("gmicloud-server"))
    try:
        server = platform.start()
    except ServerNotStarted as error:
        pytest.fail(f"gmicloud_server could not be started: {error}", pytrace=False)
    yield server
    platform.stop()
