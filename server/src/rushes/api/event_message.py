"""Events as the wire shows them: as JSON objects, and as server-sent messages."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from rushes.api.record import full_record, record
from rushes.api.services import Services
from rushes.store.records import Request

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
COMMENT_SECONDS = 15.0
RETRY = b"retry: 2000\n\n"
COMMENT = b": still here\n\n"
_LIVE = ("request_id", "status", "attempt", "progress", "stage", "queue_position", "eta_seconds")


def stored_event(request_id: UUID, n: int, status: str, attempt: int, at: float) -> dict[str, Any]:
    """A status event as it was stored."""
    return {
        "event_id": f"evt_{request_id}_{n}",
        "type": f"request.{status}",
        "request_id": str(request_id),
        "status": status,
        "attempt": attempt,
        "progress": 100 if status == "success" else None,
        "stage": None,
        "queue_position": None,
        "eta_seconds": None,
        "at": int(at),
    }


def ending_of(request: Request, services: Services) -> dict[str, Any]:
    """What a final event tells beside that."""
    shown = record(request, services)
    return {name: shown[name] for name in ("outcome", "error", "error_code")}


async def progress_event(request: Request, services: Services) -> dict[str, Any]:
    """How a request stands now; not stored, so it has no id."""
    shown = await full_record(request, services)
    return {
        "event_id": None,
        "type": "request.progress",
        **{name: shown[name] for name in _LIVE},
        "at": int(time.time()),
    }


def message(event: Mapping[str, Any], resume_id: str | None = None) -> bytes:
    """One server-sent message; a client that reconnects sends the last id it was given."""
    lines = [f"id: {resume_id}".encode()] if resume_id else []
    lines += [f"event: {event['type']}".encode(), b"data: " + orjson.dumps(event)]
    return b"\n".join(lines) + b"\n\n"
