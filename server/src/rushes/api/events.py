"""The events of a request: as a list, or live as server-sent events that resume after a cut."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rushes.api.answers import reply
from rushes.api.auth import authenticate, still_allowed
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
from rushes.api.requests import not_found, path_id
from rushes.api.services import Services, services_of
from rushes.store.records import Request as Stored

LOOK_SECONDS = 0.5
"""How often an open stream looks for progress, which is not notified."""


async def events(request: Request) -> Response:
    """GET requests/{id}/events, as text/event-stream where that is accepted."""
    services = services_of(request)
    caller = await authenticate(request)
    request_id = path_id(request)
    stored = await services.watch.get(caller.org_id, request_id)
    if stored is None:
        raise not_found()
    after = _after(request, request_id)
    if "text/event-stream" in request.headers.get("accept", ""):
        stream = _stream(request, caller.org_id, request_id, after)
        return StreamingResponse(stream, 200, STREAM_HEADERS, "text/event-stream")
    return reply({"events": await _stored_events(services, stored, after)})


def _after(request: Request, request_id: UUID) -> int:
    """The number of the last event the client has seen; 0 when it says nothing we know."""
    text = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    number = text.removeprefix(f"evt_{request_id}_")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


async def _stored_events(services: Services, stored: Stored, after: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for row in await services.requests.events(stored.request_id, after):
        event = stored_event(stored.request_id, row["n"], row["status"], row["attempt"], row["at"].timestamp())
        if stored.final and row["n"] == stored.event_n:
            event |= ending_of(stored, services)
        shown.append(event)
    return shown


async def _stream(request: Request, org_id: UUID, request_id: UUID, after: int) -> AsyncIterator[bytes]:
    """The state now, then every stored event after `after`, progress in between, until the final event.

    It ends, too, when the credential that opened it no longer holds: it is looked at again as for any call.
    """
    services = services_of(request)
    yield RETRY
    seen: tuple[Any, ...] | None = None
    spoken_at = time.monotonic()
    while not services.stopping.is_set() and await still_allowed(request, org_id):
        with services.watch.subscribed(request_id) as changed:
            stored = await services.watch.get(org_id, request_id)
            if stored is None:
                return
            for event in await _stored_events(services, stored, after) if stored.event_n > after else []:
                yield message(event, event["event_id"])
                spoken_at = time.monotonic()
                after = int(event["event_id"].rpartition("_")[2])
            if stored.final and after >= stored.event_n:
                return
            state = (stored.status, stored.attempt, stored.progress, stored.stage)
            if state != seen and not stored.final:
                seen = state
                yield message(await progress_event(stored, services))
                spoken_at = time.monotonic()
            elif time.monotonic() - spoken_at > COMMENT_SECONDS:
                spoken_at = time.monotonic()
                yield COMMENT
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await changed.wait()
