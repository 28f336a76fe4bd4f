"""The events of a request: as a list, or live as server-sent events that resume after a cut."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.record import full_record
from rushes.api.requests import not_found, path_id
from rushes.api.services import Services, services_of
from rushes.store.records import Request as Stored

COMMENT_SECONDS = 15.0
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
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = _stream(services, caller.org_id, request_id, after)
        return StreamingResponse(stream, 200, headers, "text/event-stream")
    return reply({"events": await _stored_events(services, stored, after)})


def _after(request: Request, request_id: UUID) -> int:
    """The number of the last event the client has seen; 0 when it says nothing we know."""
    text = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    number = text.removeprefix(f"evt_{request_id}_")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


async def _stored_events(services: Services, stored: Stored, after: int) -> list[dict[str, Any]]:
    rows = await services.requests.events(stored.request_id, after)
    shown: list[dict[str, Any]] = []
    for row in rows:
        event: dict[str, Any] = {
            "event_id": f"evt_{stored.request_id}_{row['n']}",
            "type": f"request.{row['status']}",
            "request_id": str(stored.request_id),
            "status": row["status"],
            "attempt": row["attempt"],
            "progress": 100 if row["status"] == "success" else None,
            "stage": None,
            "queue_position": None,
            "eta_seconds": None,
            "at": int(row["at"].timestamp()),
        }
        if stored.final and row["n"] == stored.event_n:
            record = await full_record(stored, services)
            event |= {name: record[name] for name in ("outcome", "error", "error_code")}
        shown.append(event)
    return shown


async def _stream(services: Services, org_id: UUID, request_id: UUID, after: int) -> AsyncIterator[bytes]:
    """The state now, then every stored event after `after`, progress in between, until the final event."""
    yield b"retry: 2000\n\n"
    seen: tuple[Any, ...] | None = None
    spoken_at = time.monotonic()
    while not services.stopping.is_set():
        with services.watch.subscribed(request_id) as changed:
            stored = await services.watch.get(org_id, request_id)
            if stored is None:
                return
            for event in await _stored_events(services, stored, after) if stored.event_n > after else []:
                yield _message(event, event["event_id"])
                spoken_at = time.monotonic()
                after = int(event["event_id"].rpartition("_")[2])
            if stored.final and after >= stored.event_n:
                return
            state = (stored.status, stored.attempt, stored.progress, stored.stage)
            if state != seen and not stored.final:
                seen = state
                yield _message(await _progress(services, stored), None)
                spoken_at = time.monotonic()
            elif time.monotonic() - spoken_at > COMMENT_SECONDS:
                spoken_at = time.monotonic()
                yield b": still here\n\n"
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), LOOK_SECONDS)


async def _progress(services: Services, stored: Stored) -> dict[str, Any]:
    record = await full_record(stored, services)
    names = ("request_id", "status", "attempt", "progress", "stage", "queue_position", "eta_seconds")
    return {"event_id": None, "type": "request.progress", **{n: record[n] for n in names}, "at": int(time.time())}


def _message(event: dict[str, Any], event_id: str | None) -> bytes:
    lines = [f"id: {event_id}".encode()] if event_id else []
    lines += [f"event: {event['type']}".encode(), b"data: " + orjson.dumps(event)]
    return b"\n".join(lines) + b"\n\n"
