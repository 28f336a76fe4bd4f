"""`rushes up`: a whole platform on one machine, started, watched over and stopped as one.

The supervisor itself stays small: it opens the port, runs PostgreSQL, and starts `rushes serve` and `rushes worker`
again when they die. Nothing here is needed for correctness: requests live in PostgreSQL and leases decide.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.platform.child import Backoff, ChildProcess
from rushes.platform.folder import PlatformFolder
from rushes.platform.listener import Listener, listen
from rushes.platform.readiness import is_ready
from rushes.platform.screen import Screen, show_address, show_key, show_link, show_ready
from rushes.platform.stop_signals import StopAsked, StopSignals
from rushes.store.embedded import EmbeddedPostgres
from rushes.store.platform_error import PlatformError, explained

if TYPE_CHECKING:
    from rushes.platform.tls import Certificate

_READY_LIMIT = 60.0
"""Seconds from the start of `serve` to its first good answer."""
_DEATHS_AT_START = 2
"""A process that dies so often before it was ever ready will not get better."""
_STOP_LIMIT = 40.0
"""Seconds that children get to end after SIGTERM; a worker drains for 30."""
_ROUND = 60.0
"""Seconds between two looks at the children when nothing happens; a death wakes us at once."""


@dataclass(frozen=True, slots=True)
class UpSettings:
    """What a user chooses. `workers` is how many requests run at once; no `database_url` means the embedded one."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    test_models: bool = False
    tls: bool = False
    workers: int = 1
    database_url: str = ""


def up(settings: UpSettings, program: Sequence[str] = (sys.executable, "-m", "rushes")) -> int:
    """Run a platform until Ctrl-C or SIGTERM; returns the exit status, 0 after a clean stop.

    Whatever keeps it from running is one sentence on standard error and exit status 1. `program` is the command whose
    subcommands `bootstrap`, `serve` and `worker` are the parts of the platform.
    """
    screen = Screen()
    with StopSignals() as signals:
        platform = _Platform(settings, program, screen, signals)
        try:
            with explained(settings.data):
                platform.start()
                platform.watch()
        except StopAsked:
            screen.say("stopping; Ctrl-C again stops at once")
            return 0
        except PlatformError as error:
            screen.complain(str(error))
            return 1
        finally:
            signals.stopping = True
            platform.stop()
    return 0


class _Platform:
    """The parts, in the order in which they start; they stop in the opposite order."""

    def __init__(self, settings: UpSettings, program: Sequence[str], screen: Screen, signals: StopSignals) -> None:
        self._begun = time.monotonic()
        self._settings = settings
        self._program = program
        self._screen = screen
        self._signals = signals
        self._folder = PlatformFolder(settings.data)
        self._postgres = EmbeddedPostgres(self._folder.path, signals.wait)
        self._postgres_backoff = Backoff()
        self._postgres_begun = 0.0
        self._listener: Listener | None = None
        self._certificate: Certificate | None = None
        self._children: list[ChildProcess] = []
        # Children read from this pipe; its end tells them that we are gone, even after a kill.
        self._lifeline, self._held = os.pipe()

    def start(self) -> None:
        settings = self._settings
        self._folder.open()
        self._listener = listener = listen(settings.host, settings.port)
        if settings.tls:
            from rushes.platform.tls import development_certificate  # 60 ms that only TLS needs

            self._certificate = development_certificate(self._folder.path / "tls", [listener.host])
        database_url = settings.database_url or self._start_postgres()
        key, link = self._bootstrap(database_url)
        address = listener.address("https" if settings.tls else "http")
        self._start_children(listener, address, database_url)
        self._await_ready(listener)
        self._folder.tell_ready(address, database_url)
        show_address(self._screen, address, self._folder.path, self._certificate)
        show_key(self._screen, address, key, self._folder.api_key)
        show_link(self._screen, address, link)
        show_ready(self._screen, time.monotonic() - self._begun)

    def watch(self) -> None:
        """Start again what dies, until a signal raises StopAsked."""
        while True:
            now = time.monotonic()
            wake = now + _ROUND
            self._watch_postgres(now)
            for child in self._children:
                deaths = child.deaths
                due = child.look_after(now)
                if child.deaths > deaths:
                    self._screen.complain(
                        f"{child.name} ended ({_status(child.last_status)}) and is started again; see {child.log}"
                    )
                wake = min(wake, due or wake)
            self._signals.wait(wake - time.monotonic())

    def stop(self) -> None:
        """Ask the children to end, wait, then end what is left, the database last."""
        for child in self._children:
            child.ask_to_stop()
        deadline = time.monotonic() + _STOP_LIMIT
        while not all(child.has_ended() for child in self._children):
            if self._signals.hurried or time.monotonic() > deadline:
                break
            self._signals.wait(0.2)
        for child in self._children:
            child.kill()
        os.close(self._held)
        os.close(self._lifeline)
        if self._listener is not None:
            self._listener.socket.close()
        self._postgres.stop()
        self._folder.close()

    def _start_postgres(self) -> str:
        self._postgres_begun = time.monotonic()
        return self._postgres.start()

    def _watch_postgres(self, now: float) -> None:
        if self._settings.database_url or self._postgres.started:
            return
        self._signals.wait(self._postgres_backoff.after(now - self._postgres_begun))
        self._start_postgres()
        self._screen.complain(f"PostgreSQL ended and was started again; see {self._folder.logs / 'postgresql.log'}")

    def _environment(self, database_url: str) -> dict[str, str]:
        # One's own machine is for development: failures can be ordered, unless the variable says otherwise.
        return {
            "RUSHES_ORDERED_FAULTS": "1",
            **os.environ,
            "RUSHES_DATABASE_URL": database_url,
            "RUSHES_DATA": str(self._folder.path),
        }

    def _bootstrap(self, database_url: str) -> tuple[str | None, str | None]:
        """Migrate the database; the key of the first start, once, after it was written to its file, and a link."""
        command = [*self._program, "bootstrap", "--data", str(self._folder.path)]
        status, out, err = self._run(command, self._environment(database_url))
        if status != 0:
            said = (err.strip() or out.strip() or _status(status)).splitlines()[-1]
            raise PlatformError(f"The database could not be prepared: {said.removeprefix('rushes: ')[:400]}")
        try:
            key, link = itemgetter("key", "link")(json.loads(out))
        except (ValueError, KeyError, TypeError) as error:
            raise PlatformError(f"`rushes bootstrap` did not answer with a key: {out[:200]!r}") from error
        if key is not None:
            self._folder.keep_key(key)
        return key, link

    def _run(self, command: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
        """Run a command to its end: its status and what it said. A stop signal ends it."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, start_new_session=True
            )
            try:
                while process.poll() is None:
                    self._signals.wait(1)
            finally:
                process.kill()
                process.wait()
            texts = [(file.seek(0), file.read().decode(errors="replace"))[1] for file in (out, err)]
        return process.returncode, texts[0], texts[1]

    def _start_children(self, listener: Listener, address: str, database_url: str) -> None:
        settings = self._settings
        environment = self._environment(database_url)
        if address != f"http://{settings.host}:{listener.port}" and not _public_url_is_chosen():
            environment["RUSHES_PUBLIC_URL"] = address  # what `serve` would guess from host and port is wrong then
        common = ["--data", str(self._folder.path), "--parent-fd", str(self._lifeline)]
        common.append("--test-models" if settings.test_models else "--no-test-models")
        serve = ["serve", "--host", settings.host, "--port", str(listener.port), "--fd", str(listener.socket.fileno())]
        if self._certificate is not None:
            serve += ["--tls-cert", str(self._certificate.cert), "--tls-key", str(self._certificate.key)]
        worker = ["worker", "--slots", str(settings.workers)]
        if not settings.database_url:
            worker.append("--sole")  # nobody else reaches this database, so what a dead qworker held is free at once
        sockets = (listener.socket.fileno(), self._lifeline)
        for words, descriptors in ((serve, sockets), (worker, (self._lifeline,))):
            log = self._folder.logs / f"{words[0]}.log"
            child = ChildProcess(f"rushes {words[0]}", [*self._program, *words, *common], environment, descriptors, log)
            self._children.append(child)
            child.start(time.monotonic())

    def _await_ready(self, listener: Listener) -> None:
        deadline = time.monotonic() + _READY_LIMIT
        while not is_ready(listener, self._certificate and self._certificate.ca):
            now = time.monotonic()
            for child in self._children:
                child.look_after(now)
                if child.deaths >= _DEATHS_AT_START:
                    raise PlatformError(
                        f"`{child.name}` ended at its start ({_status(child.last_status)}): "
                        f"{child.last_words()}; see {child.log}"
                    )
            if now > deadline:
                log = self._children[0].log
                raise PlatformError(f"`rushes serve` was not ready within {_READY_LIMIT:.0f} s; see {log}")
            self._signals.wait(0.02)


def _public_url_is_chosen() -> bool:
    """Whether the operator named the address that customers see, in the environment or in rushes.toml (config.py)."""
    file = Path("rushes.toml")
    try:
        written = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    except (OSError, ValueError) as error:
        raise PlatformError(f"{file.absolute()} cannot be read: {error}") from error
    return "RUSHES_PUBLIC_URL" in os.environ or "public_url" in written


def _status(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit {status}"
