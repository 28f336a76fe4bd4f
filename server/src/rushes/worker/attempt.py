"""One attempt of a request, from claim to finish, as a visible list of steps.

Whatever goes wrong ends in exactly one of: finished, returned to the queue, or let go because somebody else holds the
request now. Nothing is published under an attempt number that is not current.
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from rushes import __version__
from rushes.domain.errors import FAILURES
from rushes.domain.model_card import ModelCard
from rushes.domain.request import Status
from rushes.engines.engine import Busy, Cancelled, Plan, UpstreamError
from rushes.media.adopt import adopt_video
from rushes.media.glimpses import Glimpse
from rushes.media.probe import NotAsPlanned, VideoFacts, suits, verify
from rushes.moments import moment
from rushes.store.records import Ending, Request
from rushes.telemetry import logger
from rushes.worker.failure import HandedBack, Superseded, lane_cause, reason
from rushes.worker.manifest import manifest
from rushes.worker.parts import Parts
from rushes.worker.patience import patiently, together
from rushes.worker.progress import Progress
from rushes.worker.publishing import Publishing
from rushes.worker.rendering import Made, Rendering
from rushes.worker.reporting import Reporting

log = logger("attempt")
T = TypeVar("T")


@dataclass(slots=True)
class Attempt:
    """One attempt. `run` takes it through its steps and always leaves the scratch folder gone."""

    request: Request
    card: ModelCard
    parts: Parts
    scratch: Path
    progress: Progress = field(default_factory=Progress)
    begun: bool = False
    superseded: bool = False
    draining: bool = False
    plan: Plan = field(init=False)
    made: Made | None = None
    facts: VideoFacts | None = None
    glimpses: list[Glimpse] = field(default_factory=list[Glimpse])
    _named: bool = False
    _remembers: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _for_good: threading.Event = field(default_factory=threading.Event)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _rendering: Rendering | None = None
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _reporting: Reporting = field(init=False)
    _publishing: Publishing = field(init=False)

    async def run(self) -> None:
        """Prepare, take the engine, generate, give it back, write, verify, publish, finish.

        Failures become an ending or a retry.
        """
        policy = self.parts.policy
        self._loop = asyncio.get_running_loop()
        self._reporting = Reporting(self.parts.queue, self.request, self.progress)
        self._publishing = Publishing(self.parts.objects, self.request, policy.storage_grace_seconds, self._stop)
        self.plan = Plan.from_json(self.request.plan)
        steps: tuple[Callable[[], Awaitable[None]], ...] = (
            self._prepare,
            self._take_the_engine,
            self._begin,
            self._generate,
            self._write,
            self._verify,
            self._publish,
            self._finish,
        )
        try:
            self.scratch.mkdir(parents=True, mode=0o700)
            self._kept_files.mkdir()
            for step in steps:
                await step()
        except Exception as error:
            self.parts.turn.give_back()
            await self._failed(error)
        finally:
            self.parts.turn.end()
            shutil.rmtree(self.scratch, ignore_errors=True)

    def stop(self, *, superseded: bool = False, draining: bool = False, cancelled: bool = False) -> None:
        """Stop as soon as the engine lets us: cancelled, fenced off, or going away. Called in the event loop.

        Where the customer has `cancelled`, work that an engine began elsewhere is stopped too.

        An attempt that is going away and has all its frames writes on: that takes seconds, and the engine is paid.
        """
        self.superseded |= superseded or cancelled
        self.draining |= draining
        if cancelled:
            self._for_good.set()
        self._stop.set()
        self._stopped.set()

    # -- steps ----------------------------------------------------------------------------------------------------

    async def _prepare(self) -> None:
        """Fetch and check the inputs, then let the engine settle what depended on them."""
        moment("fetching")
        self.plan = await self._unless_stopped(self._prepared())

    async def _take_the_engine(self) -> None:
        """Wait for the attempt before this one, if it is still at the engine."""
        await self._unless_stopped(self.parts.turn.take())

    async def _begin(self) -> None:
        """dispatched -> processing."""
        self.progress.enter("loading")
        if not await self._kept(
            lambda: self.parts.queue.begin(self.request.request_id, self.request.attempt, "loading")
        ):
            raise Superseded
        self.begun = True

    async def _generate(self) -> None:
        """The engine renders in its child, the encoder works beside it, progress is written at most twice a second."""
        await self._stall()
        self._rendering = self._new_rendering()
        async with self._reporting.going_on():
            await self._loop.run_in_executor(self.parts.child.thread, self._rendering.run)
            self.parts.turn.give_back()  # at once: the last write of progress may take its time

    async def _write(self) -> None:
        """Encode what the engine has handed over; it may be at the next request already."""
        assert self._rendering is not None, "_generate comes before _write"
        async with self._reporting.going_on():
            self.made = await self._rendering.written()
        await self._reporting.stages()

    async def _verify(self) -> None:
        """The file is what the plan promised; one that an engine finished elsewhere is remade first, in confinement."""
        made, folder = self.made, self._kept_files
        assert made is not None, "_write comes before _verify"
        video = folder / "video.mp4"
        if made.encoded is None:
            try:
                self.facts, self.glimpses = await adopt_video(made.video, video, comment=self._comment())
                if not self.plan.approximate:
                    suits(self.facts, self.plan)
            except NotAsPlanned as error:
                if self.parts.engine.caps(self.card).repeatable:
                    raise
                raise UpstreamError(str(error), final=True) from error
            return
        self.facts = await asyncio.to_thread(verify, video, self.plan, made.encoded.width, made.encoded.height)
        self.glimpses = await asyncio.to_thread(made.encoded.glimpses.write, folder)

    async def _publish(self) -> None:
        """Store the video, the pictures of it, and what tells how it was made."""
        self.progress.enter("uploading", 97)
        await self._reporting.now()
        await self._reporting.stages()
        facts, folder = self.facts, self._kept_files
        assert facts is not None, "_verify comes before _publish"
        shape = {"width": facts.width, "height": facts.height}
        await together(
            self._publishing.add("video", folder, **shape, fps=float(facts.fps), seconds=round(facts.seconds, 3)),
            *(
                self._publishing.add(
                    glimpse.kind, folder, width=glimpse.width, height=glimpse.height, seconds=glimpse.seconds
                )
                for glimpse in self.glimpses
            ),
        )
        await asyncio.to_thread(self._write_manifest, folder / "manifest.json")
        await self._publishing.add("manifest", folder)
        moment("stored")

    async def _finish(self) -> None:
        """One transaction. If the request is not ours any more, our artifacts go."""
        report = self.made.report if self.made else None
        ending = Ending(
            Status.SUCCESS,
            outcome={
                **self._publishing.shown(),
                "seed": report.seed if report else self.plan.seed,
                "rendered_by": (report.rendered_by if report else "") or self.request.engine,
            },
            artifacts=tuple(self._publishing.artifacts),
            seconds=self.plan.seconds,
            report=self._report_json(),
        )
        self._named = True
        if not await self._end(ending):
            self._named = False
            raise Superseded

    # -- in the steps ---------------------------------------------------------------------------------------------

    async def _prepared(self) -> Plan:
        inputs = await self.parts.fetch.inputs(self.request, self.card, self.scratch)
        settled = self.plan
        if self.request.media:
            settled = self.parts.engine.normalise(self.card, self.request.params, self.plan.seed, inputs.pictures)
        original = self.parts.engine.caps(self.card).inputs == "original"
        ready = await self.parts.fetch.prepared(inputs, settled, self.scratch, original=original)
        return replace(settled, inputs=ready, hops=self.plan.hops)

    def _new_rendering(self) -> Rendering:
        return Rendering(
            request=self.request,
            plan=self.plan,
            child=self.parts.child,
            policy=self.parts.policy,
            progress=self.progress,
            scratch=self.scratch,
            video=self._kept_files / "video.mp4",
            comment=self._comment(),
            remember=self._remember,
            ends_soon=self._ends_soon,
            check=self._check,
            stop=self._stop,
            for_good=self._for_good,
            cancel_grace=self._cancel_grace(),
        )

    @property
    def _kept_files(self) -> Path:
        """What will be published; an engine may use any other name in scratch."""
        return self.scratch / "kept"

    def _cancel_grace(self) -> float:
        """An engine that cannot stop what it began elsewhere holds its place until that has ended."""
        drains = self.parts.engine.caps(self.card).cancel == "drain"
        return self.parts.policy.attempt_seconds if drains else self.parts.policy.cancel_grace_seconds

    def _check(self) -> None:
        if self.superseded:
            raise Cancelled

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which is given up when the attempt is to stop. Raises Cancelled then."""
        working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if self._stopped.is_set():
                raise Cancelled
            return working.result()
        finally:
            stopped.cancel()
            working.cancel()
            await asyncio.gather(working, stopped, return_exceptions=True)

    def _write_manifest(self, path: Path) -> None:
        report, stages = self.made.report if self.made else None, self.progress.stages
        made = manifest(self.request, self.plan, report, stages, time.time(), self._publishing.artifacts)
        path.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2))

    def _comment(self) -> str:
        return f"rushes {__version__}, engine {self.request.engine}, model {self.request.model}"

    def _ends_soon(self) -> None:
        """Called in the engine's thread."""
        self._loop.call_soon_threadsafe(self.parts.turn.ends_soon)

    def _remember(self, ref: str) -> None:
        """Called in the engine's thread; durable before the engine goes on.

        Raises Superseded for an attempt that is no longer current, which costs it its child: nothing is begun any more.
        """
        self._remembers += 1
        moment(f"remembering {self._remembers}")
        kept = patiently(
            lambda: self.parts.queue.remember(self.request.request_id, self.request.attempt, ref),
            self.parts.policy.outage_grace_seconds,
            self._stop,
        )
        if not asyncio.run_coroutine_threadsafe(kept, self._loop).result():
            raise Superseded

    async def _stall(self) -> None:
        """Wait as long as the payload ordered."""
        seconds = self.request.fault["stall"] if self.request.fault else 0
        if seconds:
            await asyncio.to_thread(self._stop.wait, seconds)

    # -- endings --------------------------------------------------------------------------------------------------

    async def _failed(self, error: Exception) -> None:
        """What an exception means for the request."""
        request, queue, policy = self.request, self.parts.queue, self.parts.policy
        if not self._named:  # a finish whose result we never heard may have been committed: its files stay
            await self._publishing.discard()
        if self.superseded or isinstance(error, Superseded):
            log.info("stale_attempt", request_id=str(request.request_id), attempt=request.attempt)
            return
        if isinstance(error, Cancelled | HandedBack) or self.draining:
            await self._kept(lambda: queue.hand_back(request.request_id, request.attempt))
            return
        if isinstance(error, Busy):
            log.warning("server_busy", request_id=str(request.request_id), lane=request.lane, reason=str(error))
            await self.parts.on_busy(request.lane, error)
            delay = timedelta(seconds=0 if error.hold else error.retry_after)  # a lane that is held keeps it
            await self._kept(lambda: queue.hand_back(request.request_id, request.attempt, delay=delay))
            return
        code, text = reason(error)
        log.warning(
            "attempt_failed",
            request_id=str(request.request_id),
            attempt=request.attempt,
            code=code,
            reason=text,
            exc_info=error if code == "internal" else None,
        )
        cause = None if self.parts.engine.caps(self.card).fails_on_order else lane_cause(error, code)
        if cause == "unsupported":
            self.parts.refuse(text)
            await self._kept(lambda: queue.hand_back(request.request_id, request.attempt, unsupported=text))
            return
        if policy.may_retry(error, code, request.tries):
            delay = policy.delay(request.tries)
            await self._kept(lambda: queue.retry(request.request_id, request.attempt, delay, text, cause=cause))
            return
        await self._end(
            Ending(
                Status.FAILED,
                error=text,
                error_code=code,
                retryable=FAILURES[code].retryable,
                report=self._report_json(),
                cause=cause,
            )
        )

    async def _end(self, ending: Ending) -> bool:
        return await self._kept(lambda: self.parts.queue.finish(self.request.request_id, self.request.attempt, ending))

    async def _kept(self, write: Callable[[], Awaitable[bool]]) -> bool:
        return await patiently(write, self.parts.policy.outage_grace_seconds)

    def _report_json(self) -> dict[str, Any] | None:
        report = self.made.report if self.made else None
        if report is None:
            return None
        return {
            "seed": report.seed,
            "fingerprint": report.fingerprint,
            "seconds": dict(report.seconds),
            "peak_bytes": report.peak_bytes,
        }
