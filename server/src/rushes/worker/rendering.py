"""One run of the engine for one attempt, and the video that is written beside it.

`run` blocks in the engine's thread until the engine is done; `written` is awaited afterwards, when the engine may be at
the next request already.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from pathlib import Path

from rushes.domain.faults import OrderedFault
from rushes.engines.engine import Cancelled, EngineLost, Plan, Report
from rushes.media.encode import EncodedFacts, encode
from rushes.moments import moment
from rushes.store.records import Request
from rushes.worker.child import ChildFile, EngineChild, Order
from rushes.worker.failure import OrderedFailure
from rushes.worker.frames import ChildFrames
from rushes.worker.outlook import Outlook
from rushes.worker.policy import Policy
from rushes.worker.progress import Progress


@dataclass(frozen=True, slots=True)
class Made:
    """What a run has left in scratch. `encoded` is None for a file that the engine finished elsewhere."""

    video: Path
    report: Report | None
    encoded: EncodedFacts | None = None


@dataclass(slots=True)
class Rendering:
    """The order for the engine, and what is done with its answer."""

    request: Request
    plan: Plan
    child: EngineChild
    policy: Policy
    progress: Progress
    scratch: Path
    video: Path
    """Where an encoded video goes."""
    comment: str
    """What the file itself says of its making."""
    remember: Callable[[str], None]
    """Makes an engine's remote id durable; called in the engine's thread."""
    ends_soon: Callable[[], None]
    """The engine will be free in a few seconds; called in the engine's thread."""
    check: Callable[[], None]
    """Raises Cancelled when nobody wants the video any more; called in the writer's thread."""
    stop: threading.Event
    for_good: threading.Event
    """Set before `stop` by a customer's cancel."""
    cancel_grace: float
    """How long the engine may take to stop, in seconds."""
    _frames: ChildFrames | None = None
    _file: ChildFile | None = None
    _writing: "Future[EncodedFacts] | None" = field(default=None)

    def run(self) -> None:
        """Render, until the engine is free again.

        Raises Cancelled once `stop` is set, DeadlinePassed, a typed engine error, WrongFrames, or OrderedFailure.
        Nothing is being written any more when it raises.
        """
        fault = OrderedFault.from_json(self.request.fault) if self.request.fault else None
        try:
            self._file = self.child.run(self._order(fault))
            if fault and fault.fail:
                raise OrderedFailure(fault.fail)
        except Exception as error:
            self._end_writing(error)
            raise

    async def written(self) -> Made:
        """What was made, once it is complete. Raises WrongFrames, OSError, Cancelled."""
        if self._file:
            return Made(self._file.path, self._file.report)
        assert self._writing is not None, "run comes before written"
        encoded = await asyncio.wrap_future(self._writing)
        return Made(self.video, self._frames.report if self._frames else None, encoded)

    def _order(self, fault: OrderedFault | None) -> Order:
        outlook = Outlook()

        def on_progress(phase: str, done: float, total: float) -> None:
            self.progress.take(phase, done, total)
            moment("engine running")
            if outlook.soon(phase, self.progress.percent):
                self.ends_soon()
            if fault and fault.fail and self.progress.percent >= fault.at:
                raise OrderedFailure(fault.fail)
            if fault and fault.lose_worker and self.request.attempt == 1 and phase != "loading":
                self.child.kill()
                raise EngineLost("The engine's process was killed, ordered by rushes_fault")

        return Order(
            plan=self.plan.as_json(),
            scratch=self.scratch,
            remembered=self.request.remembered,
            seconds=self.policy.attempt_seconds,
            cancel_grace=self.cancel_grace,
            on_progress=on_progress,
            on_remember=self.remember,
            on_frames=self._write,
            stop=self.stop,
            for_good=self.for_good,
        )

    def _write(self, frames: ChildFrames) -> None:
        """Have the frames encoded in a thread of their own: one of the shared pool might not be free for hours."""
        self._frames = frames
        thread = ThreadPoolExecutor(1, "writer")
        self._writing = thread.submit(self._encoded, frames)
        thread.shutdown(wait=False)

    def _encoded(self, frames: ChildFrames) -> EncodedFacts:
        keep = self.plan.keep_frames

        def on_frame(done: int) -> None:
            if done == keep:
                self.progress.enter("encoding", 94)
                moment("encoding")

        try:
            return encode(
                frames,
                self.video,
                keep_frames=keep,
                comment=self.comment,
                effort=self.plan.effort,
                on_frame=on_frame,
                check=self.check,
            )
        finally:
            frames.leave()

    def _end_writing(self, error: Exception) -> None:
        """Wait for the writer, whose frames have ended. If it is why the engine had to stop, raise its own reason."""
        if self._writing is None or self._frames is None:
            return
        self._frames.leave()
        wait_for([self._writing])
        cause = self._writing.exception()
        if isinstance(error, Cancelled) and not self.stop.is_set() and cause is not None:
            raise cause from None
