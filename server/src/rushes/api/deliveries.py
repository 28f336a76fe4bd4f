"""Deliveries of webhooks: what was sent, what was answered, and once more if asked."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from rushes.api import cursor as cursors
from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.query import number, uuid_of
from rushes.api.record import seconds
from rushes.api.requests import not_found, path_id
from rushes.api.services import services_of
from rushes.domain.errors import ApiError
from rushes.queue.event_body import type_of
from rushes.store.database import Row
from rushes.store.outbox import Event

STATES = ("waiting", "delivered", "given_up")


async def listing(request: Request) -> Response:
    """GET requests/{id}/deliveries: each event that is or was to be sent, oldest first."""
    services = services_of(request)
    caller = await authenticate(request)
    request_id = path_id(request)
    if await services.watch.get(caller.org_id, request_id) is None:
        raise not_found()
    rows = await services.outbox.deliveries(caller.org_id, request_id)
    return reply({"deliveries": [shown(row) for row in rows]})


async def resend(request: Request) -> Response:
    """POST requests/{id}/deliveries/{event id}/resend: the event goes out again, under its own webhook-id.

    Wherever it went: to the request's own address and to the organisation's endpoints; answers with the first.
    """
    services = services_of(request)
    caller = await authenticate(request, write=True)
    event_id = request.path_params["event_id"]
    rows = await services.outbox.resend(caller.org_id, path_id(request), event_id.replace("\0", ""))
    if not rows:
        raise ApiError("not_found", "Delivery not found, the request has no such event for a webhook")
    services.webhooks.wake()
    return reply(shown(min(rows, key=lambda row: row["endpoint_id"] is not None)))


async def all_of(request: Request) -> Response:
    """GET organizations/{org}/deliveries: of all requests and endpoints, newest first, by cursor."""
    caller = await authenticate(request, org=request.path_params["org_id"])
    state = request.query_params.get("state") or None
    if state is not None and state not in STATES:
        raise ApiError("invalid_request", f"Invalid state, must be one of {', '.join(STATES)}", param="state")
    cursor = request.query_params.get("cursor")
    limit = number(request, "limit", 50, low=1, high=500, clamp=True)
    rows = await services_of(request).outbox.listed(
        caller.org_id,
        state=state,
        endpoint_id=_filter_id(request, "endpoint_id"),
        request_id=_filter_id(request, "request_id"),
        before=cursors.read(cursor) if cursor else None,
        limit=limit + 1,
    )
    page = rows[:limit]
    more = len(rows) > limit
    return reply(
        {
            "deliveries": [shown(row) for row in page],
            "has_more": more,
            "next_cursor": cursors.written(page[-1]["created_at"], page[-1]["delivery_id"]) if more else None,
        }
    )


async def one(request: Request) -> Response:
    """GET organizations/{org}/deliveries/{id}: one, with body and headers as they would be sent now."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"])
    row = await services.outbox.delivery(caller.org_id, _delivery_id(request))
    if row is None:
        raise _no_delivery()
    event = Event.of(row)
    body = await services.webhooks.body_of(event)
    headers = None if body is None else await services.webhooks.headers_of(event, body)
    return reply({**shown(row), "body": body.decode() if body is not None else None, "headers": headers})


async def resend_one(request: Request) -> Response:
    """POST organizations/{org}/deliveries/{id}/resend: that one goes out again, with all its tries before it."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    row = await services.outbox.resend_one(caller.org_id, _delivery_id(request))
    if row is None:
        raise _no_delivery()
    services.webhooks.wake()
    return reply(shown(row))


def shown(row: Row) -> dict[str, Any]:
    """A delivery as the API tells it."""
    waiting = row["due_at"] is not None
    return {
        "delivery_id": str(row["delivery_id"]),
        "event_id": row["event_id"],
        "type": type_of(row["status"]),
        "request_id": str(row["request_id"]) if row["request_id"] else None,
        "endpoint_id": str(row["endpoint_id"]) if row["endpoint_id"] else None,
        "url": row["url"],
        "state": "delivered" if row["delivered_at"] else "waiting" if waiting else "given_up",
        "tries": row["tries"],
        "next_try_at": seconds(row["due_at"]),
        "delivered_at": seconds(row["delivered_at"]),
        "last_try_at": seconds(row["last_try_at"]),
        "last_status": row["last_status"],
        "last_answer": row["last_answer"],
        "created_at": seconds(row["created_at"]),
    }


def _delivery_id(request: Request) -> UUID:
    found = uuid_of(request.path_params["delivery_id"])
    if found is None:
        raise _no_delivery()
    return found


def _no_delivery() -> ApiError:
    return ApiError("not_found", "Delivery not found")


def _filter_id(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name)
    if not text:
        return None
    found = uuid_of(text)
    if found is None:
        raise ApiError("invalid_request", f"Invalid {name}, must be an id", param=name)
    return found
