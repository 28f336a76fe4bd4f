"""The qworker's side of an engine child: start it, run one plan in it, stop it for certain.

Everything here blocks and runs in the child's own thread on this side; only `kill` is called from elsewhere.
"""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rushes.engines.engine import (
    Busy,
    Cancelled,
    EngineError,
    EngineLost,
    InvalidInput,
    OutOfMemory,
    Report,
    Unsupported,
)
from rushes.worker.frames import ChildFrames
from rushes.worker.wire import Channel, ChannelClosed, Ring

START_SECONDS = 60.0
SETUP_VARIABLE = "RUSHES_ENGINE_SETUP"
"""How the child's engine is set up (engines/options.py Setup), as JSON without secrets."""
POLL_SECONDS = 0.2
LAST_BREATH_SECONDS = 2.0
"""How long a child that has closed its line may take to end, and to say why."""
_ERRORS: dict[str, type[EngineError]] = {e.code: e for e in (InvalidInput, OutOfMemory, EngineLost, Unsupported)}


class DeadlinePassed(Exception):
    """The attempt took longer than it may; its child was killed."""


@dataclass(frozen=True, slots=True)
class Order:
    """One plan to run."""

    plan: Mapping[str, Any]
    scratch: Path
    remembered: str | None
    seconds: float
    """Deadline, counted from the start of the run."""
    cancel_grace: float
    on_progress: Callable[[str, float, float], None]
    """phase, done, total; called in the slot's thread."""
    on_remember: Callable[[str], None]
    on_frames: Callable[[ChildFrames], None]
    """Frames begin: have them read in another thread, for this one is wanted to hand them over."""
    stop: threading.Event
    """Set by anybody at any time, also before the run begins: the plan is to end."""
    for_good: threading.Event = field(default_factory=threading.Event)
    """Set before `stop`: the customer has cancelled, nobody will take the request up again."""


@dataclass(slots=True)
class ChildFile:
    """A finished file in scratch."""

    path: Path
    report: Report


@dataclass(slots=True)
class _Running:
    order: Order
    number: int
    deadline: float
    cancelled_at: float | None = None
    frames: ChildFrames | None = None


class EngineChild:
    """One engine in a process of its own, warm between runs, replaced after it was lost."""

    def __init__(self, engine: str, environment: Mapping[str, str], log_file: Path | None = None) -> None:
        self.engine = engine
        # One that lasts, because on Linux the child ends with the thread that started it; and never one of a shared
        # pool, which could be full of runs that last for hours.
        self.thread = ThreadPoolExecutor(1, f"engine-{engine}")
        self._environment = dict(environment)
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._starting = threading.Lock()
        self._busy = False
        self._runs = 0
        self.loaded: tuple[str, ...] = ()
        """Models whose weights the process holds, as it said last."""
        self.load_seconds: float | None = None
        """What the last load took that brought a model in; whoever reads it clears it."""

    @property
    def started(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Raises EngineLost when the child does not come up."""
        with self._starting:  # a child warmed up in one thread and run in another is started once, and read by one
            if not self.started:
                self._start()

    def _start(self) -> None:
        self.kill()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "rushes.worker.child_main", str(theirs.fileno())]
        with theirs:
            log = self._log_file.open("ab") if self._log_file else None
            self._process = subprocess.Popen(
                [*command, self.engine],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=self._environment,
                stdout=log or sys.stderr,
                stderr=log or sys.stderr,
            )
            if log:
                log.close()
        self._channel = Channel(ours)
        try:
            ready = self._channel.receive(START_SECONDS)
        except ChannelClosed:
            ready = None
        if ready is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LAST_BREATH_SECONDS)  # it is still writing why
            self.kill()
            raise EngineLost("The engine's process did not start; its log says why")

    def kill(self) -> None:
        """End the process for certain."""
        self._busy = False
        self.loaded = ()
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def run(self, order: Order) -> ChildFile | None:
        """Run one plan until the engine is done with it: the file it has made, None if it gave frames.

        Frames may still be read when this returns, and while the next plan runs. Raises Cancelled (also when nobody
        reads the frames any more), DeadlinePassed or a typed engine error; the frames then end, too. After EngineLost,
        DeadlinePassed, an error that leaves the process spent and whatever the order's own functions raise the child is
        gone.
        """
        self.start()
        self._busy = True
        self._runs += 1
        running = _Running(order, self._runs, time.monotonic() + order.seconds)
        try:
            return self._run(running)
        finally:
            if running.frames:
                running.frames.fail()  # changes nothing after a good end
            if self._busy:
                self.kill()  # it may be at work on what nobody waits for

    def _run(self, running: _Running) -> ChildFile | None:
        order, channel = running.order, self._line()
        self._send(
            "run",
            run=running.number,
            plan=dict(order.plan),
            scratch=str(order.scratch),
            remembered=order.remembered,
        )
        while True:
            match self._next(running, channel):
                case {"kind": "open"} as opened:
                    running.frames = self._opened(opened, running.number, channel)
                    order.on_frames(running.frames)
                case {"kind": "frame", "slot": slot} if running.frames:
                    running.frames.hand(slot)
                case {"kind": "done", "path": str(path), "report": report}:
                    return ChildFile(Path(path), Report(**report))
                case {"kind": "done"} as done if running.frames:
                    running.frames.end(done)
                    return None
                case _:
                    continue

    def _opened(self, opened: Mapping[str, Any], number: int, channel: Channel) -> ChildFrames:
        def free(slot: int) -> None:
            """Called in the reader's thread."""
            try:
                channel.send("free", run=number, slot=slot)
            except ChannelClosed as error:
                raise EngineLost("The engine's process closed its line") from error

        try:
            ring = Ring.of(channel.descriptor(), opened["slot_bytes"], opened["slots"])
        except ChannelClosed as error:
            raise EngineLost(f"The engine's process gave no frames: {error}") from error
        return ChildFrames(opened, ring, free)

    def _next(self, running: _Running, channel: Channel) -> dict[str, Any]:
        """The next message that is not progress. Obeys cancel and deadline; an error message becomes its exception."""
        while True:
            self._obey(running)
            try:
                message = channel.receive(POLL_SECONDS)
            except ChannelClosed as error:
                raise self._lost() from error
            match message:
                case None:
                    continue
                case {"kind": "progress"}:
                    running.order.on_progress(message["phase"], message["done"], message["total"])
                case {"kind": "loaded", "model": model, "models": models, "seconds": seconds}:
                    if model not in self.loaded:
                        self.load_seconds = seconds
                    self.loaded = tuple(models)
                case {"kind": "remember"}:
                    running.order.on_remember(message["ref"])
                    self._send("remembered")
                case {"kind": "error"}:
                    self._busy = bool(message.get("spent"))
                    raise _error(message)
                case _:
                    self._busy = message["kind"] != "done"
                    return message

    def _obey(self, running: _Running) -> None:
        now = time.monotonic()
        if running.order.stop.is_set() or (running.frames and running.frames.left):
            if running.cancelled_at is None:
                running.cancelled_at = now
                self._send("cancel", for_good=running.order.for_good.is_set())
            elif now - running.cancelled_at > running.order.cancel_grace:
                self.kill()
                raise Cancelled
        if now > running.deadline:
            self.kill()
            raise DeadlinePassed(f"The attempt took longer than {running.order.seconds:.0f} s")

    def _send(self, kind: str, **fields: Any) -> None:
        try:
            self._line().send(kind, **fields)
        except ChannelClosed as error:
            raise self._lost() from error

    def _line(self) -> Channel:
        if self._channel is None:
            raise EngineLost("The engine's process is gone")
        return self._channel

    def _lost(self) -> EngineLost:
        process = self._process
        if process is None:
            return EngineLost("The engine's process is gone")
        try:
            code = process.wait(LAST_BREATH_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return EngineLost("The engine's process closed its line")
        self.kill()
        if code < 0:
            return EngineLost(f"The engine's process was killed by {signal.Signals(-code).name}")
        return EngineLost(f"The engine's process ended with exit code {code}")


def _error(message: Mapping[str, Any]) -> Exception:
    """The exception that an error message of the child stands for."""
    if message["code"] == "cancelled":
        return Cancelled()
    if "retry_after" in message:
        return Busy(message["text"], retry_after=message["retry_after"], hold=message["hold"])
    kind = _ERRORS.get(message["code"], EngineError)
    return kind(message["text"], field=message["field"], final=message["final"], code=message["code"])
