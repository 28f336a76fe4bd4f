"""The built-in webhook receiver over HTTP: make one, look at what it caught, and the address itself."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.body import read_body
from rushes.api.iam import NO_STORE
from rushes.api.query import number
from rushes.api.record import seconds
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.queue.catcher import MAX_BODY
from rushes.store.catchers import KEEP
from rushes.store.database import Row

LARGEST = 2**63 - 1


async def show(request: Request) -> Response:
    """GET webhook-catcher: its address and what it caught, newest first; ?newer_than=N gives only what came after N."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"])
    after = number(request, "newer_than", 0, low=0, high=LARGEST)
    limit = number(request, "limit", 50, low=1, high=KEEP, clamp=True)
    row = await services.catchers.of(caller.org_id)
    if row is None:
        raise ApiError("not_found", "Webhook catcher not found, POST makes one")
    caught = await services.catchers.caught(caller.org_id, after=after, limit=limit)
    return reply({**_shown(services, row), "caught": [_one(one) for one in caught]}, headers=NO_STORE)


async def make(request: Request) -> Response:
    """POST webhook-catcher: the organisation's receiver, made if there is none."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    return reply({**_shown(services, await services.catcher.make(caller.org_id)), "caught": []}, headers=NO_STORE)


async def remove(request: Request) -> Response:
    """DELETE webhook-catcher: it and all it caught are gone, and so is its address."""
    caller = await authenticate(request, org=request.path_params["org_id"], write=True)
    await services_of(request).catchers.remove(caller.org_id)
    return reply({})


async def receive(request: Request) -> Response:
    """POST /catch/{token}: keeps what we signed for the organisation behind this address, and nothing else."""
    body = await read_body(request, MAX_BODY)
    got = await services_of(request).catcher.receive(request.path_params["token"], request.headers, body)
    if got.status == 404:
        raise ApiError("not_found", "Webhook catcher not found")
    if got.status == 400:
        raise ApiError("invalid_request", "Invalid webhook-signature, only our own deliveries are kept here")
    return Response(status_code=got.status)


def _shown(services: Services, row: Row) -> dict[str, Any]:
    return {"url": services.catcher.address(row), "refused": row["refused"], "created_at": seconds(row["created_at"])}


def _one(row: Row) -> dict[str, Any]:
    return {
        "n": row["caught_id"],
        "event_id": row["event_id"],
        "at": seconds(row["at"]),
        "verified": True,
        "headers": orjson.loads(row["headers"]),
        "body": row["body"],
    }
