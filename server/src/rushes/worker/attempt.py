"""One attempt of a request, from claim to finish, as a visible list of steps.

Whatever goes wrong ends in exactly one of: finished, returned to the queue, or let go because somebody else holds the
request now. Nothing is published under an attempt number that is not current.
"""

import asyncio
import contextlib
import random
import shutil
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from rushes import __version__
from rushes.artifacts.objects import Objects, StorageUnavailable, Stored
from rushes.domain.errors import FAILURES
from rushes.domain.faults import OrderedFault
from rushes.domain.model_card import ModelCard
from rushes.domain.request import Status
from rushes.engines.engine import Cancelled, Engine, EngineError, EngineLost, Plan, Report
from rushes.media.adopt import adopt_video
from rushes.media.encode import EncodedFacts, encode
from rushes.media.pictures import picture_size
from rushes.media.probe import VideoFacts, verify
from rushes.media.thumbnail import save_thumbnail
from rushes.store.database import DatabaseUnavailable
from rushes.store.records import Ending, NewArtifact, Request
from rushes.telemetry import logger
from rushes.worker.child import ChildFile, ChildFrames, DeadlinePassed, EngineChild, Order
from rushes.worker.failure import OrderedFailure, Superseded, reason
from rushes.worker.fetch import Fetch
from rushes.worker.patience import patiently
from rushes.worker.progress import Progress
from rushes.worker.queue_port import Queue

log = logger("attempt")

PROGRESS_SECONDS = 0.5
"""At most two progress writes a second."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures an attempt obeys."""

    max_tries: int
    attempt_seconds: float
    cancel_grace_seconds: float
    retry_delays: tuple[float, ...] = (5.0, 60.0)
    outage_grace_seconds: float = 300.0
    storage_grace_seconds: float = 600.0


@dataclass(slots=True)
class Parts:
    """What an attempt works with."""

    queue: Queue
    objects: Objects
    fetch: Fetch
    engine: Engine
    child: EngineChild
    policy: Policy


@dataclass(slots=True)
class Attempt:
    """One attempt. `run` takes it through its steps and always leaves the scratch folder gone."""

    request: Request
    card: ModelCard
    parts: Parts
    scratch: Path
    progress: Progress = field(default_factory=Progress)
    superseded: bool = False
    draining: bool = False
    plan: Plan = field(init=False)
    video: Path = field(init=False)
    thumbnail: Path = field(init=False)
    encoded: EncodedFacts | None = None
    report: Report | None = None
    facts: VideoFacts | None = None
    artifacts: list[NewArtifact] = field(default_factory=list[NewArtifact])
    _named: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop = field(init=False)

    async def run(self) -> None:
        """Fetch, begin, generate, verify, publish, finish; failures become an ending or a retry."""
        self._loop = asyncio.get_running_loop()
        self.plan = Plan.from_json(self.request.plan)
        self.video = self.scratch / "video.mp4"
        steps: tuple[Callable[[], Awaitable[None]], ...] = (
            self._prepare,
            self._begin,
            self._generate,
            self._verify,
            self._publish,
            self._finish,
        )
        try:
            self.scratch.mkdir(parents=True, mode=0o700)
            for step in steps:
                await step()
        except Exception as error:
            await self._failed(error)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def stop(self, *, superseded: bool = False, draining: bool = False) -> None:
        """Stop as soon as the engine lets us: cancelled, fenced off, or going away."""
        self.superseded |= superseded
        self.draining |= draining
        self._stop.set()

    # -- steps ----------------------------------------------------------------------------------------------------

    async def _prepare(self) -> None:
        """Fetch and check the inputs, then let the engine settle what depended on them."""
        inputs = await self.parts.fetch.inputs(self.request, self.card, self.scratch)
        settled = self.plan
        if self.request.media:
            settled = self.parts.engine.normalise(self.card, self.request.params, self.plan.seed, inputs.pictures)
        ready = await self.parts.fetch.prepared(inputs, settled, self.scratch)
        self.plan = replace(settled, inputs=ready)

    async def _begin(self) -> None:
        """dispatched -> processing."""
        self.progress.enter("loading")
        if not await self._kept(
            lambda: self.parts.queue.begin(self.request.request_id, self.request.attempt, "loading")
        ):
            raise Superseded

    async def _generate(self) -> None:
        """The engine renders in its child, the encoder works beside it, progress is written at most twice a second."""
        await self._stall()
        reporter = asyncio.create_task(self._report_progress())
        try:
            await asyncio.to_thread(self._render)
        finally:
            reporter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reporter
        await self._note_stages()

    async def _verify(self) -> None:
        """The file is what the plan promised; one that an engine finished elsewhere is remade first, in confinement."""
        self.thumbnail = self.scratch / "thumbnail.jpg"
        if self.encoded is None:
            remade = self.scratch / "remade.mp4"
            self.facts = await adopt_video(self.video, remade, self.thumbnail, comment=self._comment())
            self.video = remade
            return
        width, height = self.encoded.width, self.encoded.height
        self.facts = await asyncio.to_thread(verify, self.video, self.plan, width, height)
        await asyncio.to_thread(save_thumbnail, self.encoded.poster, self.thumbnail)

    async def _publish(self) -> None:
        """Store video and thumbnail, complete and durable, under names no other attempt uses."""
        self.progress.enter("uploading", 97)
        await self._write_progress()
        await self._note_stages()
        folder = f"artifacts/{self.request.org_id}/{self.request.request_id}/{self.request.attempt}"
        facts = self.facts
        assert facts is not None, "_verify comes before _publish"
        video = await self._stored(f"{folder}/video.mp4", self.video)
        picture = await self._stored(f"{folder}/thumbnail.jpg", self.thumbnail)
        width, height = await asyncio.to_thread(picture_size, self.thumbnail, "JPEG")
        self.artifacts = [
            NewArtifact(
                artifact_id=uuid4(),
                kind="video",
                path=video.path,
                content_type="video/mp4",
                size_bytes=video.size_bytes,
                sha256=video.sha256,
                width=facts.width,
                height=facts.height,
                fps=float(facts.fps),
                seconds=round(facts.seconds, 3),
            ),
            NewArtifact(
                artifact_id=uuid4(),
                kind="thumbnail",
                path=picture.path,
                content_type="image/jpeg",
                size_bytes=picture.size_bytes,
                sha256=picture.sha256,
                width=width,
                height=height,
            ),
        ]

    async def _finish(self) -> None:
        """One transaction. If the request is not ours any more, our artifacts go."""
        video, thumbnail = (self._shown(artifact) for artifact in self.artifacts)
        ending = Ending(
            Status.SUCCESS,
            outcome={
                "video": video,
                "thumbnail": thumbnail,
                "seed": self.report.seed if self.report else self.plan.seed,
            },
            artifacts=tuple(self.artifacts),
            seconds=self.plan.seconds,
            report=self._report_json(),
        )
        self._named = True
        if not await self._end(ending):
            self._named = False
            raise Superseded

    # -- the engine's run, in the slot's thread -------------------------------------------------------------------

    def _render(self) -> None:
        fault = OrderedFault.from_json(self.request.fault) if self.request.fault else None

        def on_progress(phase: str, done: float, total: float) -> None:
            self.progress.take(phase, done, total)
            if fault and fault.fail and self.progress.percent >= fault.at:
                raise OrderedFailure(fault.fail)
            if fault and fault.lose_worker and self.request.attempt == 1 and phase != "loading":
                self.parts.child.kill()
                raise EngineLost("The engine's process was killed, ordered by rushes_fault")

        order = Order(
            plan=self.plan.as_json(),
            scratch=self.scratch,
            remembered=self.request.remembered,
            seconds=self.parts.policy.attempt_seconds,
            cancel_grace=self.parts.policy.cancel_grace_seconds,
            on_progress=on_progress,
            on_remember=self._remember,
            stop=self._stop,
        )
        try:
            result = self.parts.child.run(order)
            if isinstance(result, ChildFile):
                self.video, self.report = result.path, result.report
            else:
                self._encode(result)
        finally:
            self.parts.child.settle()
        if fault and fault.fail:
            raise OrderedFailure(fault.fail)

    def _encode(self, frames: ChildFrames) -> None:
        keep = self.plan.keep_frames

        def on_frame(done: int) -> None:
            if done == keep:
                self.progress.enter("encoding", 94)

        self.encoded = encode(
            frames,
            self.video,
            keep_frames=keep,
            comment=self._comment(),
            on_frame=on_frame,
        )
        self.report = frames.report

    def _comment(self) -> str:
        """What the file itself says of its making."""
        return f"rushes {__version__}, engine {self.request.engine}, model {self.request.model}"

    def _remember(self, ref: str) -> None:
        """Called in the slot's thread; durable before the engine goes on."""
        kept = patiently(
            lambda: self.parts.queue.remember(self.request.request_id, self.request.attempt, ref),
            self.parts.policy.outage_grace_seconds,
            self._stop,
        )
        asyncio.run_coroutine_threadsafe(kept, self._loop).result()

    # -- endings --------------------------------------------------------------------------------------------------

    async def _failed(self, error: Exception) -> None:
        """What an exception means for the request."""
        if self.superseded or isinstance(error, Superseded):
            await self._discard()
            log.info("stale_attempt", request_id=str(self.request.request_id), attempt=self.request.attempt)
            return
        if isinstance(error, Cancelled) or self.draining:
            await self._discard()
            await self._kept(lambda: self.parts.queue.hand_back(self.request.request_id, self.request.attempt))
            return
        code, text = reason(error)
        log.warning(
            "attempt_failed",
            request_id=str(self.request.request_id),
            attempt=self.request.attempt,
            code=code,
            reason=text,
            exc_info=error if code == "internal" else None,
        )
        await self._discard()
        if self._may_retry(code, error):
            await self._kept(
                lambda: self.parts.queue.retry(self.request.request_id, self.request.attempt, self._delay(), text)
            )
            return
        retryable = FAILURES[code].retryable
        ending = Ending(Status.FAILED, error=text, error_code=code, retryable=retryable, report=self._report_json())
        await self._end(ending)

    def _may_retry(self, code: str, error: Exception) -> bool:
        if isinstance(error, OrderedFailure | DeadlinePassed) or not FAILURES[code].retryable:
            return False
        if isinstance(error, EngineError) and error.final:
            return False
        limit = min(2, self.parts.policy.max_tries) if code == "out_of_memory" else self.parts.policy.max_tries
        return self.request.tries < limit

    def _delay(self) -> timedelta:
        delays = self.parts.policy.retry_delays
        return timedelta(seconds=delays[min(self.request.tries, len(delays)) - 1] * random.uniform(0.8, 1.2))

    async def _end(self, ending: Ending) -> bool:
        return await self._kept(lambda: self.parts.queue.finish(self.request.request_id, self.request.attempt, ending))

    async def _kept(self, write: Callable[[], Awaitable[bool]]) -> bool:
        return await patiently(write, self.parts.policy.outage_grace_seconds)

    async def _discard(self) -> None:
        """Delete what this attempt stored; what cannot be deleted now is swept as an orphan within a day.

        That goes too for what an outcome may name: a finish whose result we never heard may have been committed.
        """
        if self._named:
            return
        for artifact in self.artifacts:
            with contextlib.suppress(StorageUnavailable):
                await self.parts.objects.delete(artifact.path)

    # -- writing --------------------------------------------------------------------------------------------------

    async def _stall(self) -> None:
        """Wait as long as the payload ordered."""
        seconds = self.request.fault["stall"] if self.request.fault else 0
        if seconds:
            await asyncio.to_thread(self._stop.wait, seconds)

    async def _report_progress(self) -> None:
        """Write the latest progress twice a second at most; a lost write is made up for by the next."""
        written = (-1, "")
        while True:
            latest = (self.progress.percent, self.progress.stage)
            if latest != written:
                await self._write_progress()
                written = latest
            await asyncio.sleep(PROGRESS_SECONDS)

    async def _write_progress(self) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            await self.parts.queue.progress(
                self.request.request_id, self.request.attempt, self.progress.percent, self.progress.stage
            )

    async def _note_stages(self) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            await self.parts.queue.note_stages(self.request.request_id, self.request.attempt, self.progress.stages)

    async def _stored(self, path: str, file: Path) -> Stored:
        return await patiently(
            lambda: self.parts.objects.put(path, file), self.parts.policy.storage_grace_seconds, self._stop
        )

    @staticmethod
    def _shown(artifact: NewArtifact) -> dict[str, Any]:
        """What the stored outcome says of an artifact; its path stays in the artifact's own row."""
        return {name: value for name, value in artifact.as_json().items() if name != "path"}

    def _report_json(self) -> dict[str, Any] | None:
        if self.report is None:
            return None
        return {
            "seed": self.report.seed,
            "fingerprint": self.report.fingerprint,
            "seconds": dict(self.report.seconds),
            "peak_bytes": self.report.peak_bytes,
        }
