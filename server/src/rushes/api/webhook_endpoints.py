"""An organisation's standing webhook endpoints: addresses that are told of all its requests."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.body import json_object
from rushes.api.deliveries import shown
from rushes.api.options import EVENTS, FINAL_EVENTS, webhook_address
from rushes.api.query import uuid_of
from rushes.api.record import seconds
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.store.database import Row
from rushes.store.webhook_endpoints import MAX_ENDPOINTS, TooManyEndpoints


async def listing(request: Request) -> Response:
    """GET webhook-endpoints: all of them, the failing ones first."""
    caller = await authenticate(request, org=request.path_params["org_id"])
    rows = await services_of(request).webhook_endpoints.listed(caller.org_id)
    return reply({"endpoints": [_shown(row) for row in rows], "event_types": list(EVENTS)})


async def create(request: Request) -> Response:
    """POST webhook-endpoints: told of what happens from now on."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    body = await json_object(request)
    url = _url(body.get("url"), services)
    events = FINAL_EVENTS if body.get("events") is None else _events(body)
    try:
        row = await services.webhook_endpoints.add(caller.org_id, url, events)
    except TooManyEndpoints as error:
        text = f"Too many endpoints, an organisation may have {MAX_ENDPOINTS}; delete one first"
        raise ApiError("invalid_request", text, param="url") from error
    return reply(_shown(row))


async def change(request: Request) -> Response:
    """PATCH webhook-endpoints/{id}: url, events, enabled; what is not named stays."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    body = await json_object(request)
    enabled = body.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise ApiError("invalid_request", "Invalid enabled, must be true or false", param="enabled")
    row = await services.webhook_endpoints.change(
        caller.org_id,
        _endpoint_id(request),
        url=_url(body["url"], services) if body.get("url") is not None else None,
        events=_events(body) if body.get("events") is not None else None,
        enabled=enabled,
    )
    if row is None:
        raise _not_found()
    return reply(_shown(row))


async def delete(request: Request) -> Response:
    """DELETE webhook-endpoints/{id}: nothing more goes there; its deliveries stay in the log."""
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    if not await services_of(request).webhook_endpoints.remove(caller.org_id, _endpoint_id(request)):
        raise _not_found()
    return reply({})


async def test(request: Request) -> Response:
    """POST webhook-endpoints/{id}/test: a signed event goes out now; answers with the delivery and what came of it."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    row = await services.webhook_endpoints.one(caller.org_id, _endpoint_id(request))
    if row is None:
        raise _not_found()
    event = await services.webhooks.test(caller.org_id, row["url"], row["endpoint_id"])
    delivery = await services.outbox.delivery(caller.org_id, event.delivery_id)
    assert delivery is not None, "it was written down a moment ago"
    return reply(shown(delivery))


def _endpoint_id(request: Request) -> UUID:
    found = uuid_of(request.path_params["endpoint_id"])
    if found is None:
        raise _not_found()
    return found


def _not_found() -> ApiError:
    return ApiError("not_found", "Webhook endpoint not found")


def _url(value: Any, services: Services) -> str:
    return webhook_address(value, "url", services.egress, services.catcher)


def _events(body: Mapping[str, Any]) -> list[str]:
    events = body["events"]
    if not isinstance(events, list) or not events or not all(event in EVENTS for event in cast(list[Any], events)):
        rule = f"must be a list of at least one of {', '.join(EVENTS)}"
        raise ApiError("invalid_request", f"Invalid events, {rule}", param="events")
    return [*dict.fromkeys(cast(list[str], events))]


def _shown(row: Row) -> dict[str, Any]:
    return {
        "endpoint_id": str(row["endpoint_id"]),
        "url": row["url"],
        "events": list(row["events"]),
        "enabled": row["enabled"],
        "disabled_why": row["disabled_why"],
        "waiting": row["waiting"],
        "failing_since": seconds(row["failing_since"]),
        "last_success_at": seconds(row["last_success_at"]),
        "created_at": seconds(row["created_at"]),
    }
