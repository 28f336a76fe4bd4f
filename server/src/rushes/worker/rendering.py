"""One run of the engine for one attempt, where rendering meets writing. It blocks, in the slot's thread."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rushes.domain.faults import OrderedFault
from rushes.engines.engine import EngineLost, Plan, Report
from rushes.media.encode import EncodedFacts, encode
from rushes.store.records import Request
from rushes.worker.child import ChildFile, ChildFrames, EngineChild, Order
from rushes.worker.failure import OrderedFailure
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
    """Makes an engine's remote id durable; called in the slot's thread."""
    stop: threading.Event

    def run(self) -> Made:
        """Render and encode.

        Raises Cancelled once `stop` is set, DeadlinePassed, a typed engine error, WrongFrames, or OrderedFailure.
        """
        fault = OrderedFault.from_json(self.request.fault) if self.request.fault else None
        try:
            result = self.child.run(self._order(fault))
            made = Made(result.path, result.report) if isinstance(result, ChildFile) else self._encoded(result)
        finally:
            self.child.settle()
        if fault and fault.fail:
            raise OrderedFailure(fault.fail)
        return made

    def _order(self, fault: OrderedFault | None) -> Order:
        def on_progress(phase: str, done: float, total: float) -> None:
            self.progress.take(phase, done, total)
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
            cancel_grace=self.policy.cancel_grace_seconds,
            on_progress=on_progress,
            on_remember=self.remember,
            stop=self.stop,
        )

    def _encoded(self, frames: ChildFrames) -> Made:
        keep = self.plan.keep_frames

        def on_frame(done: int) -> None:
            if done == keep:
                self.progress.enter("encoding", 94)

        encoded = encode(frames, self.video, keep_frames=keep, comment=self.comment, on_frame=on_frame)
        return Made(self.video, frames.report, encoded)
