"""The qworker: claims requests for its free slots, runs one attempt per slot, drains on SIGTERM."""

import asyncio
import contextlib
import os
import random
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from rushes import __version__
from rushes.artifacts.objects import Objects
from rushes.artifacts.space import Space
from rushes.catalog.loader import Catalog, UnknownModel
from rushes.engines.engine import Busy
from rushes.engines.lanes import label_of
from rushes.engines.registry import UnknownEngine
from rushes.engines.routing import Routing
from rushes.moments import moment
from rushes.store.database import DatabaseUnavailable
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.workers import Order, Workers
from rushes.telemetry import logger
from rushes.worker.attempt import Attempt
from rushes.worker.fetch import Fetch
from rushes.worker.heartbeat import Beat, Heartbeat
from rushes.worker.memory import resident_bytes
from rushes.worker.offer import Offer, matched
from rushes.worker.parts import Parts
from rushes.worker.patience import patiently
from rushes.worker.policy import Policy
from rushes.worker.slot import Slot
from rushes.worker.turns import Turn

log = logger("qworker")

POLL_SECONDS = 5.0
"""The safety net under NOTIFY, jittered."""
DUE_SECONDS = 0.05
"""The least to wait for a request that is due: another qworker, or a limit, may keep it from us."""
COLD_SECONDS = 0.2
"""How long a request that would cost a swap here is left to others when it comes in."""
HAND_BACK_SECONDS = 2.0
"""At the end of a drain: how long engines may take to stop before their processes are killed."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a qworker is set up."""

    slots: int
    engines: tuple[str, ...]
    """Engines without a table, and tables of engines.toml."""
    lease: timedelta
    heartbeat_seconds: float
    drain_seconds: float
    exit_idle_seconds: float | None
    scratch: Path
    policy: Policy


class QWorker:
    """One process per host. `run` returns after a drain."""

    def __init__(
        self,
        shape: Shape,
        *,
        requests: Requests,
        lanes: Lanes,
        workers: Workers,
        listener: Listener,
        objects: Objects,
        fetch: Fetch,
        catalog: Catalog,
        routing: Routing,
        dsn: str,
        environment: Mapping[str, str],
        logs: Path | None,
    ) -> None:
        self.qworker_id = uuid4()
        self._shape = shape
        self._requests = requests
        self._lanes_held = lanes
        self._workers = workers
        self._listener = listener
        self._objects = objects
        self._fetch = fetch
        self._catalog = catalog
        self._routing = routing
        self._space = Space(shape.scratch)
        self._offer = Offer(routing.lanes(catalog.cards, shape.engines))
        self._wake = asyncio.Event()
        self._slots = [Slot(number, routing, environment, logs, self._wake.set) for number in range(shape.slots)]
        # By number too: a new attempt of a request may run here before its superseded one has stopped.
        self._attempts: dict[tuple[UUID, int], Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._paused_until = 0.0
        self._heartbeat = Heartbeat(
            dsn,
            self.qworker_id,
            lease=shape.lease,
            every=shape.heartbeat_seconds,
            outage_grace=shape.policy.outage_grace_seconds,
            beat=self._beat,
            lost=self._lost,
            told=self._told,
        )
        listener.on("rushes_queue", self._queued)
        listener.on("rushes_qworker", self._ordered)
        listener.on("rushes_stop", self._cancelled)
        listener.on_lost(self._wake.set)  # what was queued meanwhile is not told again

    async def run(self) -> None:
        """Claim and run until `drain` is called (or the qworker has been idle for long enough, where that is asked)."""
        self._loop = asyncio.get_running_loop()
        self._clear_scratch()
        await self._enrol()
        self._heartbeat.start()
        warm = asyncio.create_task(self._warm_up())
        try:
            await self._claim_until_drained()
            await self._drain()
        finally:
            warm.cancel()
            self._heartbeat.stop()
            for slot in self._slots:
                slot.kill()
            with contextlib.suppress(DatabaseUnavailable):
                await self._workers.left(self.qworker_id)

    def drain(self) -> None:
        """Stop claiming; finish or hand back what runs. Safe to call twice."""
        self._draining = True
        self._wake.set()

    # -- claiming -------------------------------------------------------------------------------------------------

    async def _claim_until_drained(self) -> None:
        idle_since = self._loop.time()
        while not self._draining:
            self._wake.clear()
            slots = self._with_room()
            claimed = await self._claim(slots)
            for slot, request in matched(slots, claimed):
                self._start(request, slot)
            for slot in slots:
                slot.turns.asked()
            if claimed or self._tasks:
                idle_since = self._loop.time()
            elif self._idle_too_long(idle_since):
                self.drain()
            if not (claimed and self._with_room()):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(await self._pause()):
                        await self._wake.wait()

    def _with_room(self) -> list[Slot]:
        """The slots for which a request may be claimed now, those with an idle engine first."""
        return sorted((slot for slot in self._slots if slot.turns.room), key=lambda slot: not slot.turns.idle)

    async def _claim(self, slots: Sequence[Slot]) -> Sequence[Request]:
        if not slots or self._loop.time() < self._paused_until:
            return ()
        if (shortage := self._space.shortage()) is not None:
            log.warning("no_room", shortage=shortage)
            self._paused_until = self._loop.time() + POLL_SECONDS
            return ()
        offer = self._offer
        try:
            return await self._requests.claim(
                self.qworker_id,
                offer.lanes,
                len(slots),
                self._shape.lease,
                ready=offer.ready(slots),
                refused=list(offer.refused),
            )
        except DatabaseUnavailable as error:
            log.warning("claim_failed", error=str(error))
            return ()

    async def _pause(self) -> float:
        """Seconds until the next claim if nobody wakes us: a poll, or sooner when a request that was put off is due."""
        poll = POLL_SECONDS * random.uniform(0.8, 1.2)
        if (paused := self._paused_until - self._loop.time()) > 0:
            return min(poll, paused)
        due = None
        if self._with_room():
            with contextlib.suppress(DatabaseUnavailable):
                due = await self._requests.next_due(self._offer.lanes)
        return poll if due is None else min(poll, max(due, DUE_SECONDS))

    def _start(self, request: Request, slot: Slot) -> None:
        moment("claimed")
        turn = slot.turns.turn()
        task = asyncio.create_task(self._run(request, slot, turn), name=f"attempt {request.request_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, request: Request, slot: Slot, turn: Turn) -> None:
        try:
            attempt = self._attempt(request, slot, turn)
            self._attempts[request.request_id, request.attempt] = attempt
            if self._draining:
                attempt.stop(draining=True)
            await attempt.run()
            await self._report_loading(request, slot)
        except (UnknownModel, UnknownEngine) as error:  # another release, or another configuration, submitted it
            self._refuse(request, str(error))
            with contextlib.suppress(DatabaseUnavailable):  # its lease will end
                await self._requests.hand_back(request.request_id, request.attempt, unsupported=str(error))
        except Exception:  # an attempt must never take the qworker with it; its lease will end
            log.exception("attempt_lost", request_id=str(request.request_id))
        finally:
            self._attempts.pop((request.request_id, request.attempt), None)
            turn.end()

    def _attempt(self, request: Request, slot: Slot, turn: Turn) -> Attempt:
        """Raises UnknownModel and UnknownEngine for what this qworker has never heard of."""
        return Attempt(
            request,
            self._catalog.find(request.model),
            Parts(
                queue=self._requests,
                objects=self._objects,
                fetch=self._fetch,
                engine=self._routing.engine(label_of(request.lane)),
                child=slot.child(request.lane),
                policy=self._shape.policy,
                turn=turn,
                on_busy=self._busy,
                refuse=lambda reason: self._refuse(request, reason),
            ),
            self._shape.scratch / f"{request.request_id}-{request.attempt}",
        )

    def _refuse(self, request: Request, reason: str) -> None:
        """Claim no more requests for a model, and say why where operators look."""
        self._offer.refuse(request.lane, request.model, reason)
        log.warning("model_refused", model=request.model, reason=reason)
        task = asyncio.create_task(self._tell_offer(), name="offer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_offer(self) -> None:
        async def tell() -> None:
            await self._workers.refuse(self.qworker_id, lanes=self._offer.lanes, refused=self._offer.refused)

        try:
            await patiently(tell, self._shape.policy.outage_grace_seconds)
        except DatabaseUnavailable as error:
            log.warning("offer_untold", error=str(error))

    async def _report_loading(self, request: Request, slot: Slot) -> None:
        """Keep what it took to load the model, if it was loaded for this attempt."""
        child = slot.child(request.lane)
        seconds, child.load_seconds = child.load_seconds, None
        if seconds is not None:
            with contextlib.suppress(DatabaseUnavailable):
                await self._workers.loaded(request.lane, seconds)

    def _beat(self) -> Beat:
        busy = sum(not slot.turns.idle for slot in self._slots)
        loaded = sorted({model for slot in self._slots for _, model in slot.loaded()})
        memory = resident_bytes([os.getpid(), *(pid for slot in self._slots for pid in slot.pids())])
        return Beat(list(self._attempts), self._draining, busy, loaded, memory)

    # -- what is heard --------------------------------------------------------------------------------------------

    def _queued(self, lane: str) -> None:
        slots = self._with_room()
        if lane not in self._offer.lanes or not slots:
            return
        if lane in self._offer.ready(slots):
            self._wake.set()
        else:  # a qworker that has the model loaded goes first
            self._loop.call_later(COLD_SECONDS, self._wake.set)

    def _ordered(self, payload: str) -> None:
        qworker_id, _, order = payload.partition(" ")
        if UUID(qworker_id) == self.qworker_id:
            self._obey(order)

    def _told(self, order: Order) -> None:
        """Called in the heartbeat's thread."""
        if order == "drain" and not self._draining:
            self._loop.call_soon_threadsafe(self._obey, order)

    def _obey(self, order: str) -> None:
        """An operator's order. A pause needs nothing here: the claim itself gives a paused qworker nothing."""
        if order == "drain":
            self.drain()
        else:
            self._wake.set()

    def _cancelled(self, payload: str) -> None:
        for (request_id, _), attempt in self._attempts.items():
            if request_id == UUID(payload):
                attempt.stop(cancelled=True)

    def _lost(self, held: set[tuple[UUID, int]]) -> None:
        """Called in the heartbeat's thread: these leases are not ours any more."""

        def stop() -> None:
            for key in held & self._attempts.keys():
                letting_go = asyncio.create_task(self._let_go(self._attempts[key]))
                self._tasks.add(letting_go)
                letting_go.add_done_callback(self._tasks.discard)

        self._loop.call_soon_threadsafe(stop)

    async def _let_go(self, attempt: Attempt) -> None:
        """Stop an attempt whose lease is lost; a cancel that was not heard of is one of the reasons."""
        attempt.superseded = True  # whatever happens below, it publishes nothing
        cancelled = False
        with contextlib.suppress(DatabaseUnavailable):
            cancelled = await self._requests.is_cancelled(attempt.request.request_id)
        attempt.stop(superseded=True, cancelled=cancelled)

    async def _busy(self, lane: str, error: Busy) -> None:
        """A server takes nothing now: claim nothing for it until it may, or until an operator has acted."""
        if error.hold:
            hold = partial(self._lanes_held.hold, lane, actor="system", said=str(error), cause=error.code)
            if await patiently(hold, self._shape.policy.outage_grace_seconds):
                return
        self._paused_until = max(self._paused_until, self._loop.time() + error.retry_after)

    # -- coming and going -----------------------------------------------------------------------------------------

    async def _enrol(self) -> None:
        async def enrol() -> None:
            await self._workers.enrol(
                self.qworker_id,
                host=socket.gethostname(),
                pid=os.getpid(),
                version=__version__,
                lanes=self._offer.lanes,
                slots=self._shape.slots,
            )

        await patiently(enrol, self._shape.policy.outage_grace_seconds)
        log.info("qworker_started", qworker_id=str(self.qworker_id), lanes=self._offer.lanes, slots=self._shape.slots)

    async def _warm_up(self) -> None:
        """Start the first engine's child in every slot, so that the first request does not wait for its imports."""
        for slot in self._slots if self._offer.lanes else ():
            child = slot.child(self._offer.lanes[0])
            await self._loop.run_in_executor(child.thread, child.start)

    async def _drain(self) -> None:
        log.info("draining", running=len(self._tasks))
        for attempt in self._attempts.values():
            if not attempt.begun:
                attempt.stop(draining=True)  # nothing is lost, and others may be idle
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._shape.drain_seconds)
        for attempt in self._attempts.values():
            attempt.stop(draining=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HAND_BACK_SECONDS)
        for slot in self._slots:
            slot.kill()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _idle_too_long(self, since: float) -> bool:
        limit = self._shape.exit_idle_seconds
        return limit is not None and self._loop.time() - since > limit

    def _clear_scratch(self) -> None:
        """What a killed predecessor left behind; every qworker has a scratch folder of its own."""
        shutil.rmtree(self._shape.scratch, ignore_errors=True)
        self._shape.scratch.mkdir(parents=True, mode=0o700)
