"""One request at an upstream account: submit once, remember, wait, fetch.

An upstream charges when a request is created. So a trace is durable before the call and the id after it, and a call
whose outcome is not known is repeated only where the upstream promises that this makes no second request.
"""

import contextlib
import re
import time
from uuid import uuid4

from rushes.engines.engine import (
    Cancelled,
    Control,
    Encoded,
    EngineError,
    EngineLost,
    Plan,
    Report,
    Unsupported,
    UpstreamError,
)
from rushes.engines.gmi.answers import Record, failure, video_link
from rushes.engines.gmi.uploads import payload_with_links
from rushes.engines.gmi.upstream import PREFIX, Unclear, Upstream, unclear
from rushes.engines.remembered import Remembered
from rushes.engines.server import Unreached
from rushes.engines.waiting import Pace, pause, unless_cancelled

FIRST_POLL, LAST_POLL = 5.0, 10.0
LONG_POLL = 5
"""Seconds that a server of ours holds a question; after each its progress is told."""
SKEW_SECONDS = 120.0
KEY_HOLDS_SECONDS = 20 * 3600.0
"""A server of ours keeps an idempotency key for a day at least."""
LINKLESS = 5
"""Questions for a finished record until its link has to be there."""
_ID = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether this may be the id of a request, and part of a path."""
    return _ID.fullmatch(text) is not None


class Run:
    """One attempt at one plan."""

    def __init__(
        self, upstream: Upstream, pace: Pace, plan: Plan, control: Control, base_url: str, first_poll: float
    ) -> None:
        self._upstream = upstream
        self._pace = pace
        self._plan = plan
        self._control = control
        self._remembered = Remembered(control, base_url)
        self._first_poll = first_poll
        self._model: str = plan.extra["model"]

    async def whole(self) -> Encoded:
        """Raises Cancelled and the typed engine errors."""
        started = time.monotonic()
        self._control.progress("waiting", 0, 1)
        request_id = self._remembered.trace.id or await self._submitted()
        try:
            record, link = await self._finished(request_id)
        except Cancelled as stop:
            if stop.for_good:
                with contextlib.suppress(Unreached, Unsupported):  # it will be asked again: engines/gmi/abandon.py
                    await self._upstream.cancel(request_id)
            raise
        finished = time.monotonic()
        self._pace.took(self._shape, finished - started)
        path = self._control.scratch / "remote.mp4"
        await self._upstream.server.download(link, path)
        seconds = {"generating": finished - started, "fetching": time.monotonic() - finished}
        return Encoded(path, self._report(record, seconds))

    # -- beginning ------------------------------------------------------------------------------------------------

    async def _submitted(self) -> str:
        """The id of the request upstream, made now or by an earlier attempt. Not stopped half-way by a cancel."""
        if self._remembered.trace.sent_at is not None:
            return await self._resolved(Unclear("An earlier attempt ended while it asked"))
        payload = await unless_cancelled(
            self._control,
            payload_with_links(self._upstream.server, PREFIX, self._plan, ours=self._upstream.ours),
        )
        self._remembered.sending(str(uuid4()), self._model, payload)
        return await self._sent()

    async def _sent(self) -> str:
        try:
            record = await self._upstream.submit(self._model, self._remembered.trace.payload, self._headers())
        except Unclear as error:
            return await self._resolved(error)
        except EngineError:
            self._remembered.nothing()  # it was refused, or never left: nothing was begun
            raise
        return self._made(str(record["request_id"]))

    async def _resolved(self, error: Unclear) -> str:
        """What became of a submit without an answer. Raises UpstreamError where that cannot be known."""
        sent_at = self._remembered.trace.sent_at or 0.0
        found = await self._upstream.find(self._model, self._remembered.trace.payload, sent_at - SKEW_SECONDS)
        if found is not None:
            return self._made(found)
        if not self._upstream.ours or time.time() - sent_at > KEY_HOLDS_SECONDS:
            raise unclear(error) from error
        try:  # the same key makes the same request, however often it is sent
            record = await self._upstream.submit(self._model, self._remembered.trace.payload, self._headers())
        except Unclear as again:
            raise EngineLost(str(again)) from again
        return self._made(str(record["request_id"]))

    def _made(self, request_id: str) -> str:
        if not is_id(request_id):
            raise UpstreamError("The upstream's answer names no request", final=True)
        self._remembered.made(request_id)
        return request_id

    def _headers(self) -> dict[str, str]:
        """For a server of ours: what makes a repeated call harmless, and what ends a ring of servers."""
        if not self._upstream.ours:
            return {}
        return {"Idempotency-Key": self._remembered.trace.session or "", "Rushes-Hops": str(self._plan.hops + 1)}

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _finished(self, request_id: str) -> tuple[Record, str]:
        """The record of a success, and its link."""
        delay, began, linkless = self._first_poll, time.monotonic(), 0
        while True:
            asked_at = time.monotonic()
            record = await self._asked(request_id)
            held = time.monotonic() - asked_at > 1
            status = "queued" if record is None else str(record["status"])
            if record is not None and status == "success":
                if (link := video_link(record)) is not None:
                    return record, link
                linkless += 1
                if linkless >= LINKLESS:
                    raise UpstreamError("The upstream says success, but names no video", final=True)
            elif record is not None and status in ("failed", "cancelled"):
                raise failure(record, ours=self._upstream.ours)
            else:
                self._tell(record or {}, status, time.monotonic() - began)
            if not held:
                await pause(self._control, delay)
                delay = min(delay * 1.25, LAST_POLL)

    async def _asked(self, request_id: str) -> Record | None:
        """The record; None if the upstream could not be asked, which ends nothing."""
        wait = LONG_POLL if self._upstream.ours else 0
        try:
            record = await unless_cancelled(self._control, self._upstream.record(request_id, wait))
        except Unreached:
            return None
        if record is None:
            raise UpstreamError("The upstream has forgotten the request", final=True)
        return record

    def _tell(self, record: Record, status: str, elapsed: float) -> None:
        progress = record.get("progress")
        if status in ("created", "queued", "dispatched"):
            self._control.progress("waiting", 0, 1)
        elif isinstance(progress, int | float) and 0 <= progress <= 100 and self._upstream.ours:
            self._control.progress("running", min(progress, 99), 100)
        else:
            self._control.progress("running", self._pace.share(self._shape, elapsed), 1)

    # -- ending ---------------------------------------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[str, float]:
        return self._model, self._plan.seconds

    def _report(self, record: Record, seconds: dict[str, float]) -> Report:
        """Which engine rendered it is known where the upstream is a server of ours, which does not pretend either."""
        inner = record.get("rendered_by") or record.get("engine") if self._upstream.ours else None
        seed = record.get("seed") if self._upstream.ours else None
        return Report(
            seed=seed if isinstance(seed, int) else self._plan.seed,
            fingerprint=f"gmi {self._model}"[:200],
            seconds=seconds,
            rendered_by=inner[:100] if isinstance(inner, str) else "",
        )
