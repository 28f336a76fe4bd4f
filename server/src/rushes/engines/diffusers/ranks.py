"""The processes that help rank 0 render one request: started, told, listened to and ended together. Free of torch.

```
started --here--> idle --load--> loaded --join--> joined --run--> running --done, cancelled--> joined
any of them --a process ends, or says what ends it--> lost (all are killed)
```
"""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from rushes.engines.diffusers.line import Line, LineClosed
from rushes.engines.engine import EngineError, EngineLost, InvalidInput, OutOfMemory, Unsupported

COMMAND: Final = (sys.executable, "-m", "rushes.engines.diffusers.rank")
POLL_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 60.0
"""How long rank 0 may stay in a common call that has lost a rank."""
LAST_BREATH_SECONDS: Final = 30.0
"""How long a process that has closed its line may take to end, which says why."""
_ERRORS: Final[dict[str, type[EngineError]]] = {e.code: e for e in (InvalidInput, OutOfMemory, EngineLost, Unsupported)}
ALIKE: Final = (InvalidInput, Unsupported)
"""What follows from plan and card alone, so that every rank meets it at the same place and can go on afterwards."""


class Ranks:
    """Ranks 1 to `size` - 1. One that ends unasked ends them all.

    `stuck` is called in another thread when rank 0 does not come out of a call that cannot end any more.
    """

    def __init__(
        self,
        size: int,
        command: Sequence[str] = COMMAND,
        stuck: Callable[[], None] | None = None,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._stuck, self._stuck_seconds = stuck, stuck_seconds
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._lost: EngineError | None = None
        self._ended = False
        self._inside = False
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lines: list[Line] = []
        self._listeners: list[threading.Thread] = []
        try:
            for rank in range(1, size):
                self._start(rank, command)
        except OSError as error:
            self.kill()
            raise EngineLost(f"The processes of the team could not be started: {error}") from error

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    @property
    def lost(self) -> EngineError | None:
        """Why the team has ended by itself, if it has."""
        return self._lost

    def tell(self, kind: str, **fields: Any) -> None:
        """One message to every rank. Raises what ended the team."""
        for number in range(len(self._lines)):
            self.tell_one(number + 1, kind, **fields)

    def tell_one(self, to: int, kind: str, **fields: Any) -> None:
        try:
            self._lines[to - 1].send(kind, **fields)
        except LineClosed as error:
            with self._changed:
                self._changed.wait_for(lambda: self._lost is not None, LAST_BREATH_SECONDS)
            raise self._lost or EngineLost(f"Rank {to} closed its line") from error

    def answers(self, what: str, seconds: float, poll: Callable[[], None]) -> dict[int, dict[str, Any]]:
        """The next message of every rank. `poll` is called now and then and may raise.

        Raises what ended the team, and EngineLost when `seconds` have passed; `what` says what they were waited for.
        """
        until = time.monotonic() + seconds
        while not self._wait(POLL_SECONDS):
            poll()
            if time.monotonic() > until:
                missing = [str(n + 1) for n in range(len(self._lines)) if n + 1 not in self._answers]
                raise EngineLost(
                    f"{what}: no answer of rank {', '.join(missing)} of {len(self._lines) + 1} within {seconds:g} s"
                )
        return self._taken()

    def settled(self, seconds: float) -> dict[int, dict[str, Any]]:
        """The answers there are when all have come, a rank is lost or the time has passed."""
        with contextlib.suppress(EngineError):
            self._wait(seconds)
        return self._taken()

    def _wait(self, seconds: float) -> bool:
        """Whether every rank has answered by now. Raises what ended the team."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._answers) == len(self._lines) or self._lost, seconds)
            if self._lost:
                raise self._lost
            return len(self._answers) == len(self._lines)

    def _taken(self) -> dict[int, dict[str, Any]]:
        with self._changed:
            given, self._answers = self._answers, {}
            return given

    @contextlib.contextmanager
    def inside(self) -> Generator[None]:
        """Rank 0 is in a call that needs all others."""
        with self._changed:
            self._inside = True
        try:
            yield
        finally:
            with self._changed:
                self._inside = False
                self._changed.notify_all()

    def kill(self) -> None:
        """End all processes for certain; safe to call twice, not from a listener."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._kill_processes()
        for process in self._processes:
            process.wait()
        for listener in self._listeners:
            listener.join()
        for line in self._lines:
            line.close()

    def _start(self, rank: int, command: Sequence[str]) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = subprocess.Popen(
                [*command, str(theirs.fileno())], pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL
            )
            self._processes.append(process)
            self._lines.append(Line(ours.detach()))
        listener = threading.Thread(target=self._listen, args=(rank,), name=f"rank {rank}", daemon=True)
        self._listeners.append(listener)
        listener.start()

    def _listen(self, rank: int) -> None:
        last: dict[str, Any] = {}
        try:
            while True:
                last = self._lines[rank - 1].receive()
                with self._changed:
                    self._answers[rank] = last
                    self._changed.notify_all()
        except LineClosed:
            self._gone(rank, last)

    def _gone(self, rank: int, last: dict[str, Any]) -> None:
        """A rank has ended: keep why, end the others, and see that rank 0 does not wait for them."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._processes[rank - 1].wait(LAST_BREATH_SECONDS)
        with self._changed:
            if self._ended or self._lost:
                return
            self._lost = self._why(rank, last)
            self._changed.notify_all()
        self._kill_processes()
        with self._changed:
            came_out = self._changed.wait_for(lambda: not self._inside or self._ended, self._stuck_seconds)
        if not came_out and self._stuck:
            sys.stderr.write(f"{self._lost}; rank 0 waits for it and cannot be called back, so it ends\n")
            sys.stderr.flush()
            self._stuck()

    def _why(self, rank: int, last: dict[str, Any]) -> EngineError:
        if last.get("kind") == "failed":
            return failure(last, rank)
        code = self._processes[rank - 1].returncode
        how = "closed its line" if code is None else f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        return EngineLost(f"Rank {rank} of {len(self._processes) + 1}, the process of another GPU, {how}")

    def _kill_processes(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()


def failure(message: dict[str, Any], rank: int) -> EngineError:
    """The error that a rank has told."""
    made = _ERRORS.get(message["code"], EngineLost)
    return made(f"rank {rank}: {message['text']}", field=message.get("field"), final=message.get("final", False))
