"""A server process that ends when we end, and the file it logs to."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

_LOG_LIMIT = 4 << 20
"""Bytes; a log file that grew beyond is moved aside, replacing the one moved before."""
_LOG_CHECK = 60.0
_STOPS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""PostgreSQL's fast shutdown, its immediate one, and the kernel's; with the seconds each may take."""


class ServerProcess:
    """One run of a server: started by the constructor, ended by `stop` or by our own end.

    The kernel's signal at a parent's end (unprivileged.py) is really sent at the end of the *thread* that started the
    child (prctl(2)). So a thread of its own starts the server and lives as long; it also keeps the log small.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], log: Path, descriptors: tuple[int, ...]
    ) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._descriptors = descriptors
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._error: OSError | None = None
        self._log_start = 0
        self._thread = threading.Thread(target=self._attend, name="postgresql", daemon=True)
        self._thread.start()
        self._begun.wait()
        if self._error is not None:
            raise self._error

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def log_text(self) -> str:
        """What this run has logged so far, as far as it was kept."""
        with self._log.open("rb") as file:
            file.seek(min(self._log_start, os.fstat(file.fileno()).st_size))
            return file.read(_LOG_LIMIT).decode(errors="replace")

    def stop(self) -> None:
        """End it, gently first; returns once it is gone. A second call does nothing."""
        assert self._process is not None
        for number, seconds in _STOPS:
            self._process.send_signal(number)
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self._ended.set()
        self._thread.join()

    def _attend(self) -> None:
        try:
            self._open()
        except OSError as error:
            self._error = error
        finally:
            self._begun.set()
        while self._process is not None and not self._ended.wait(_LOG_CHECK):
            keep_small(self._log)

    def _open(self) -> None:
        keep_small(self._log)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._log_start = os.fstat(log).st_size
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=self._descriptors,
                start_new_session=True,  # Ctrl-C in a terminal is for us; we decide when the database ends
            )
        finally:
            os.close(log)


def keep_small(log: Path) -> None:
    """Move a log that grew too large aside. It is copied and cut, because the server holds it open for appending."""
    try:
        if log.stat().st_size > _LOG_LIMIT:
            shutil.copy(log, log.with_suffix(log.suffix + ".1"))
            os.truncate(log, 0)
    except FileNotFoundError:
        return
