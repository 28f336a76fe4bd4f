"""The bodies of webhooks."""

import orjson

from rushes.artifacts.links import Links
from rushes.domain.request import FINAL, Status
from rushes.queue.outcome import outcome_of
from rushes.store.outbox import Event
from rushes.store.records import Request

MAX_ERROR = 1000
"""Characters of a failure's text in a body, so that the whole stays under 20 kB."""
TEST = "webhook.test"


def type_of(status: str) -> str:
    """The type of an event: `request.` and the status that was taken, or the type of a test."""
    return TEST if status == "test" else f"request.{status}"


def test_body(event: Event) -> bytes:
    """The body of an endpoint's test: the same envelope, and nothing of a request."""
    return orjson.dumps(
        {
            "type": TEST,
            "timestamp": _moment(event),
            "data": {"org_id": str(event.org_id), "endpoint_id": str(event.endpoint_id)},
        }
    )


def event_body(event: Event, request: Request, links: Links, expires: int) -> bytes:
    """The body of one event, under 20 kB. What a request carries at its end is told by its final event only."""
    ended = Status(event.status) in FINAL
    return orjson.dumps(
        {
            "type": type_of(event.status),
            "timestamp": _moment(event),
            "data": {
                "request_id": str(request.request_id),
                "org_id": str(request.org_id),
                "model": request.model,
                "status": event.status,
                "outcome": _shortened(outcome_of(request, links, expires)) if ended else None,
                "error": request.error[:MAX_ERROR] if ended and request.error else None,
                "error_code": request.error_code if ended else None,
                "metadata": request.metadata,
                "finished_at": int(request.finished_at.timestamp()) if ended and request.finished_at else None,
                "expires_at": int(request.expires_at.timestamp()) if ended and request.expires_at else None,
            },
        }
    )


def _shortened(outcome: dict[str, object] | None) -> dict[str, object] | None:
    error = outcome and outcome.get("error")
    return {**outcome, "error": error[:MAX_ERROR]} if outcome and isinstance(error, str) else outcome


def _moment(event: Event) -> str:
    return event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
