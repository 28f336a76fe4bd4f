"""The events of an organisation: its log as pages of JSON, or everything that happens, live as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rushes.api.answers import reply
from rushes.api.auth import Caller, authenticate, still_allowed
from rushes.api.event_message import (
    COMMENT,
    COMMENT_SECONDS,
    RETRY,
    STREAM_HEADERS,
    ending_of,
    message,
    progress_event,
    stored_event,
)
from rushes.api.filters import canonical_model
from rushes.api.limits import limited
from rushes.api.query import number
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.domain.request import FINAL
from rushes.store.database import DatabaseUnavailable
from rushes.store.event_log import BEGINNING, PAGE, Event, Position, Snapshot
from rushes.store.org_pulse import Follower
from rushes.telemetry import logger

log = logger("streams")

MAX_STREAMS = 100
"""Open streams of one organisation in one API process; a page needs one for all its tabs."""
LOOK_SECONDS = 1.0
"""How often a quiet stream looks whether its caller may still read, and whether a comment is due."""


async def events(request: Request) -> Response:
    """GET events, as text/event-stream where that is accepted."""
    services = services_of(request)
    caller = await authenticate(request)
    name = request.query_params.get("model_id")
    model = canonical_model(services, name) if name else None
    if "text/event-stream" not in request.headers.get("accept", ""):
        headers = await limited(request, caller, "poll")
        return reply(await _page(request, services, caller, model), headers=headers)
    if services.pulse.count(caller.org_id) >= MAX_STREAMS:
        text = f"Rate limit reached, an organisation may have {MAX_STREAMS} open streams"
        raise ApiError("rate_limited", text, headers={"Retry-After": "10"})
    given = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    stream = _Stream(request, services, caller.org_id, model)
    return StreamingResponse(stream.run(Position.read(given)), 200, STREAM_HEADERS, "text/event-stream")


async def _page(request: Request, services: Services, caller: Caller, model: str | None) -> dict[str, Any]:
    limit = number(request, "limit", 100, low=1, high=1000, clamp=True)
    text = request.query_params.get("after")
    after = Position.read(text) if text else BEGINNING
    if after is None:
        raise ApiError("invalid_request", "Invalid after, give next_after as it came", param="after")
    found = await services.event_log.settled(caller.org_id, after, model, limit + 1)
    shown = found[:limit]
    return {
        "events": await _shown(services, caller.org_id, shown),
        "next_after": str(Position.after(shown[-1]) if shown else after),
        "has_more": len(found) > limit,
    }


async def _shown(services: Services, org_id: UUID, events: Sequence[Event]) -> list[dict[str, Any]]:
    final = [event.request_id for event in events if event.status in FINAL]
    requests = await services.event_log.requests(org_id, final) if final else {}
    shown: list[dict[str, Any]] = []
    for event in events:
        one = stored_event(event.request_id, event.n, event.status, event.attempt, event.at.timestamp())
        one["model"] = event.model
        if event.status in FINAL and event.request_id in requests:
            one |= ending_of(requests[event.request_id], services)
        shown.append(one)
    return shown


@dataclass(slots=True)
class _Stream:
    """One open stream. It reads when its client has taken what came before, so nothing piles up for a slow one."""

    request: Request
    services: Services
    org_id: UUID
    model: str | None
    spoken_at: float = 0.0
    told: dict[UUID, tuple[object, ...]] = field(default_factory=dict[UUID, "tuple[object, ...]"])
    """What was last said of each request that runs."""

    async def run(self, after: Position | None) -> AsyncIterator[bytes]:
        """The marker first, then what was missed since `after`, then whatever happens, until somebody stops.

        It ends also when the database goes away: the client comes again and resumes.
        """
        try:
            async for part in self._parts(after):
                yield part
        except DatabaseUnavailable as error:
            log.warning("stream_ended", error=str(error))

    async def _parts(self, after: Position | None) -> AsyncIterator[bytes]:
        with self.services.pulse.following(self.org_id) as follower:
            now = await self.services.event_log.snapshot()
            resumed = after is not None and after.written_by <= now.oldest
            yield RETRY + self._say(_marker(resumed), None if resumed else str(now.position))
            seen: Snapshot | Position = after if resumed and after is not None else now
            follower.news = True
            while not self.services.stopping.is_set() and await still_allowed(self.request, self.org_id):
                follower.stirred.clear()
                if follower.news:
                    follower.news = False
                    now = await self.services.event_log.snapshot()
                    async for part in self._news(seen, now):
                        yield part
                    seen = now
                async for part in self._progress(follower):
                    yield part
                if time.monotonic() - self.spoken_at > COMMENT_SECONDS:
                    self.spoken_at = time.monotonic()
                    yield COMMENT
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await follower.stirred.wait()

    async def _news(self, seen: Snapshot | Position, now: Snapshot) -> AsyncIterator[bytes]:
        """The id of a message says from where to resume: the last of each page has one, because its page is whole."""
        async for page in self.services.event_log.news(self.org_id, seen, now, self.model):
            last = Position.after(page[-1])
            is_settled = len(page) == PAGE and last.written_by < now.oldest
            resume = last if is_settled else now.position
            shown = await _shown(self.services, self.org_id, sorted(page, key=lambda event: event.at))
            for event in shown[:-1]:
                yield self._say(event)
            yield self._say(shown[-1], str(resume))

    async def _progress(self, follower: Follower) -> AsyncIterator[bytes]:
        """What runs, where it has changed since it was last said; the pulse reads it twice a second."""
        running = follower.running
        for request_id in self.told.keys() - running.keys():
            del self.told[request_id]
        for request in list(running.values()):
            state = (request.status, request.attempt, request.progress, request.stage)
            wanted = self.model is None or request.model == self.model
            if wanted and self.told.get(request.request_id) != state:
                self.told[request.request_id] = state
                yield self._say({**await progress_event(request, self.services), "model": request.model})

    def _say(self, event: dict[str, Any], resume_id: str | None = None) -> bytes:
        self.spoken_at = time.monotonic()
        return message(event, resume_id)


def _marker(resumed: bool) -> dict[str, Any]:
    """Said first. Not resumed: what happened before is not told, so read the requests now."""
    return {"type": "snapshot", "resumed": resumed, "at": int(time.time())}
