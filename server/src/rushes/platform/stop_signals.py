"""Ctrl-C and its like, for a supervisor that sleeps until something happens."""

import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Self

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(BaseException):
    """Someone asked the platform to stop. Like KeyboardInterrupt, no ordinary handler may swallow it."""


class StopSignals:
    """While entered, a stop signal makes the next `wait` raise StopAsked, and the second sets `hurried`.

    Nothing is raised out of the blue: an exception between two lines of the standard library can leave its locks held.
    Once `stopping` is set `wait` raises no more, so that tidying up runs to its end. Main thread only.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._asked = 0
        self._former: dict[signal.Signals, Any] = {}

    @property
    def hurried(self) -> bool:
        return self._asked > 1

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._former_wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in _STOPS:
            # nohup stays nohup; but a shell that starts us with `&` ignores SIGINT, and `kill -INT` is still meant.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._stop)
        # A handler of any kind makes the system tell us of ended children, through the wake-up socket.
        self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._former_wakeup)
        self._read.close()
        self._write.close()

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, an ended child's too, or the time is over. Raises StopAsked."""
        self._obey()
        # A signal that comes right here has written to the socket, so the sleep ends at once.
        if select.select([self._read], [], [], max(0.0, seconds))[0]:
            self._read.recv(4096)
        self._obey()

    def _obey(self) -> None:
        if self._asked and not self.stopping:
            raise StopAsked

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1
