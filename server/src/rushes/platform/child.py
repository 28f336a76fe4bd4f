"""A process of the platform that is started again when it dies."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rushes.store.server_process import keep_small

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0
_HEALTHY_AFTER = 10.0
"""Seconds of life after which a death counts as the first again."""


_ERROR = re.compile(r"[A-Za-z_][\w.]*: \S")


class Backoff:
    """How long to wait before the next start: 0.1 s, twice as long each time, 5 s at most."""

    def __init__(self) -> None:
        self._next = _FIRST_DELAY

    def after(self, lived: float) -> float:
        """Seconds to wait now that a process died that had `lived` so many seconds."""
        if lived >= _HEALTHY_AFTER:
            self._next = _FIRST_DELAY
        delay, self._next = self._next, min(2 * self._next, _LONGEST_DELAY)
        return delay


class ChildProcess:
    """One `rushes` process with a session of its own, which logs to a file. Times are monotonic seconds."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self.deaths = 0
        self.last_status = 0
        self._command = list(command)
        self._environment = dict(environment)
        self._descriptors = tuple(descriptors)
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._due: float | None = None
        self._backoff = Backoff()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self, now: float) -> None:
        keep_small(self.log)
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=self._descriptors,
                start_new_session=True,  # Ctrl-C is for the supervisor, which then asks its children
            )
        finally:
            os.close(log)
        self._begun, self._due = now, None

    def look_after(self, now: float) -> float | None:
        """Note a death, start again what is due; returns the time of the next start, None if it runs.

        A death is counted in `deaths` and its exit status kept in `last_status`.
        """
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                keep_small(self.log)
                return None
            self.deaths += 1
            self.last_status = status
            self._process = None
            self._due = now + self._backoff.after(now - self._begun)
        if self._due is not None and self._due <= now:
            self.start(now)
        return self._due

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End it and its own children at once."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_words(self) -> str:
        """The last error in its log, else the last line; shortened."""
        with self.log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 16_384))
            lines = file.read().decode(errors="replace").strip().splitlines()
        # `TypeError: ...` says more than the farewell that a server prints below it.
        errors = [line for line in lines if _ERROR.match(line)]
        return (errors or lines or ["it said nothing"])[-1].removeprefix("rushes: ")[:300]
