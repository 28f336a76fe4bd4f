"""The webhooks of a request: what was sent, what was answered, and once more if asked."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.record import seconds
from rushes.api.requests import not_found, path_id
from rushes.api.services import services_of
from rushes.domain.errors import ApiError
from rushes.store.database import Row


async def listing(request: Request) -> Response:
    """GET requests/{id}/deliveries: each event that is or was to be sent, oldest first."""
    services = services_of(request)
    caller = await authenticate(request)
    request_id = path_id(request)
    if await services.watch.get(caller.org_id, request_id) is None:
        raise not_found()
    rows = await services.outbox.deliveries(caller.org_id, request_id)
    return reply({"deliveries": [_shown(row) for row in rows]})


async def resend(request: Request) -> Response:
    """POST requests/{id}/deliveries/{event id}/resend: the event goes out again, under its own webhook-id."""
    services = services_of(request)
    caller = await authenticate(request, write=True)
    event_id = request.path_params["event_id"]
    row = await services.outbox.resend(caller.org_id, path_id(request), event_id.replace("\0", ""))
    if row is None:
        raise ApiError("not_found", "Delivery not found, the request has no such event for a webhook")
    services.webhooks.wake()
    return reply(_shown(row))


def _shown(row: Row) -> dict[str, Any]:
    waiting = row["due_at"] is not None
    return {
        "event_id": row["event_id"],
        "type": f"request.{row['status']}",
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
