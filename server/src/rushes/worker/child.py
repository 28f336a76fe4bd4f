"""The qworker's side of an engine child: start it, run one plan in it, stop it for certain.

Everything here blocks and runs in the slot's own thread; only `kill` is called from elsewhere.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rushes.engines.engine import (
    Cancelled,
    EngineError,
    EngineLost,
    InvalidInput,
    OutOfMemory,
    Report,
    Unsupported,
)
from rushes.media.sound import Sound
from rushes.worker.wire import Channel, ChannelClosed, Ring

if TYPE_CHECKING:
    from numpy.typing import NDArray

START_SECONDS = 60.0
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
    stop: threading.Event
    """Set by anybody at any time, also before the run begins: the plan is to end."""


@dataclass(slots=True)
class _Track:
    """A sound track that came as a file."""

    samples: "NDArray[np.float32]"
    rate: int


@dataclass(slots=True)
class ChildFrames:
    """The engine's Frames, seen from the qworker: each is valid until the next one is asked for."""

    width: int
    height: int
    fps: int
    count: int
    pixel_format: Literal["rgb24", "yuv420p"]
    _source: Iterator["NDArray[np.uint8]"]
    audio: Sound | None = None
    report: Report | None = None

    def __iter__(self) -> Iterator["NDArray[np.uint8]"]:
        return self._source


@dataclass(slots=True)
class ChildFile:
    """A finished file in scratch."""

    path: Path
    report: Report


@dataclass(slots=True)
class _Running:
    order: Order
    deadline: float
    cancelled_at: float | None = None
    frames: ChildFrames | None = field(default=None)


class EngineChild:
    """One engine in a process of its own, warm between runs, replaced after it was lost."""

    def __init__(self, engine: str, environment: Mapping[str, str], log_file: Path | None = None) -> None:
        self.engine = engine
        self._environment = dict(environment)
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._ring: Ring | None = None
        self._starting = threading.Lock()
        self._busy = False

    @property
    def started(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Raises EngineLost when the child does not come up.

        On Linux the child ends with the thread that started it, so that has to be one that lasts.
        """
        with self._starting:  # a child warmed up in one thread and run in another is started once, and read by one
            if not self.started:
                self._start()

    def _start(self) -> None:
        self.kill()
        ours, theirs = socket.socketpair()
        ring = Ring.make()
        os.set_inheritable(ring.descriptor, True)
        command = [sys.executable, "-m", "rushes.worker.child_main", str(theirs.fileno()), str(ring.descriptor)]
        with theirs:
            log = self._log_file.open("ab") if self._log_file else None
            self._process = subprocess.Popen(
                [*command, self.engine],
                pass_fds=(theirs.fileno(), ring.descriptor),
                stdin=subprocess.DEVNULL,
                env=self._environment,
                stdout=log or sys.stderr,
                stderr=log or sys.stderr,
            )
            if log:
                log.close()
        self._channel, self._ring = Channel(ours), ring
        try:
            ready = self._channel.receive(START_SECONDS)
        except ChannelClosed:
            ready = None
        if ready is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LAST_BREATH_SECONDS)  # it is still writing why
            self.kill()
            raise EngineLost("The engine's process did not start; its log says why")

    def settle(self) -> None:
        """End the process unless its last run ended by itself: it may be at work on frames that nobody reads."""
        if self._busy:
            self.kill()

    def kill(self) -> None:
        """End the process for certain."""
        self._busy = False
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def run(self, order: Order) -> ChildFrames | ChildFile:
        """Run one plan up to its first frame (the rest happens while the frames are iterated) or to its file.

        Whoever does not iterate to the end calls `settle`. Raises Cancelled, DeadlinePassed or a typed engine error.
        After EngineLost or DeadlinePassed the child is gone.
        """
        self.settle()
        self.start()
        self._busy = True
        channel, ring = self._line()
        running = _Running(order, time.monotonic() + order.seconds)
        self._send(
            "run",
            plan=dict(order.plan),
            scratch=str(order.scratch),
            remembered=order.remembered,
        )
        while True:
            message = self._next(running, channel)
            match message:
                case {"kind": "open"}:
                    ring.resize(message["slot_bytes"], message["slots"])
                    frames = ChildFrames(
                        width=message["width"],
                        height=message["height"],
                        fps=message["fps"],
                        count=message["count"],
                        pixel_format=message["pixel_format"],
                        _source=iter(()),
                    )
                    running.frames = frames
                    frames._source = self._frames(running, frames, message["slots"])
                    return frames
                case {"kind": "done"}:
                    return ChildFile(Path(message["path"]), Report(**message["report"]))
                case _:
                    continue

    def _frames(self, running: _Running, frames: ChildFrames, slots: int) -> Iterator["NDArray[np.uint8]"]:
        channel, ring = self._line()
        shape = (frames.height, frames.width, 3)
        if frames.pixel_format == "yuv420p":
            shape = (frames.height * 3 // 2, frames.width)
        self._send("free", slot=-1)  # the ring has its size now
        for slot in range(slots):
            self._send("free", slot=slot)
        while True:
            message = self._next(running, channel)
            if message["kind"] == "frame":
                yield np.frombuffer(ring.slot(message["slot"]), np.uint8).reshape(shape)
                self._send("free", slot=message["slot"])
            elif message["kind"] == "done":
                frames.report = Report(**message["report"])
                if message["audio"]:
                    frames.audio = _Track(np.load(message["audio"], allow_pickle=False), message["rate"])
                ring.unmap()
                return

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
                case {"kind": "remember"}:
                    running.order.on_remember(message["ref"])
                    self._send("remembered")
                case {"kind": "error"}:
                    self._busy = False
                    raise _error(message)
                case _:
                    self._busy = message["kind"] != "done"
                    return message

    def _obey(self, running: _Running) -> None:
        now = time.monotonic()
        if running.order.stop.is_set():
            if running.cancelled_at is None:
                running.cancelled_at = now
                self._send("cancel")
            elif now - running.cancelled_at > running.order.cancel_grace:
                self.kill()
                raise Cancelled
        if now > running.deadline:
            self.kill()
            raise DeadlinePassed(f"The attempt took longer than {running.order.seconds:.0f} s")

    def _send(self, kind: str, **fields: Any) -> None:
        try:
            self._line()[0].send(kind, **fields)
        except ChannelClosed as error:
            raise self._lost() from error

    def _line(self) -> tuple[Channel, Ring]:
        if self._channel is None or self._ring is None:
            raise EngineLost("The engine's process is gone")
        return self._channel, self._ring

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
    kind = _ERRORS.get(message["code"], EngineError)
    return kind(message["text"], field=message["field"], final=message["final"], code=message["code"])
