"""The early API: a flat body, status and result apart. The same requests, seen another way."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.body import json_object
from rushes.api.limits import limited
from rushes.api.record import full_record, outcome
from rushes.api.requests import not_found, path_id, submitter_of
from rushes.api.services import Services, services_of
from rushes.domain.model_card import ModelCard
from rushes.domain.request import Status
from rushes.queue.submit import Options
from rushes.store.records import Request as Stored


async def models(request: Request) -> Response:
    """GET /video/models: `object` is the published name, as in the sample."""
    await authenticate(request)
    return reply({"object": "list", "data": [_model(card, card.published_name or card.id) for card in _cards(request)]})


async def openai_models(request: Request) -> Response:
    """GET /v1/models: the same list with `object: "model"`."""
    await authenticate(request)
    return reply({"object": "list", "data": [_model(card, "model") for card in _cards(request)]})


async def submit(request: Request) -> Response:
    """POST /video/{model}: the body is the payload itself."""
    services = services_of(request)
    caller = await authenticate(request, write=True)
    headers = await limited(request, caller, "submit")
    payload = await json_object(request)
    submitter = submitter_of(caller, services)
    prepared = await services.submit.prepare(submitter, request.path_params["model_id"], payload)
    stored = await services.submit.admit(submitter, prepared, Options())
    services.watch.put(stored)
    here = f"{services.links.public_url}/video/requests/{stored.request_id}"
    return reply(
        {
            "request_id": str(stored.request_id),
            "status": stored.status.value,
            "status_url": f"{here}/status",
            "response_url": here,
            "cancel_url": f"{services.links.public_url}/api/v1/apikey/requests/{stored.request_id}/cancel",
        },
        headers=headers,
    )


async def status(request: Request) -> Response:
    """GET /video/requests/{id}/status."""
    services, stored = await _stored(request)
    record = await full_record(stored, services)
    names = ("request_id", "status", "queue_position", "progress", "error")
    return reply({name: record[name] for name in names})


async def result(request: Request) -> Response:
    """GET /video/requests/{id}: the video, the reason there is none, or 202 while it is being made."""
    services, stored = await _stored(request)
    plain = {"request_id": str(stored.request_id), "status": stored.status.value}
    if not stored.final:
        return reply(plain, 202, {"Retry-After": "2"})
    made = outcome(stored, services)
    if stored.status is not Status.SUCCESS or made is None:
        return reply({**plain, "error": stored.error})
    video = made["media_urls"][0]
    return reply(
        {
            "video": {
                "url": made["video_url"],
                "content_type": video["content_type"],
                "file_name": f"{stored.request_id}.mp4",
                "file_size": video["size_bytes"],
            },
            "thumbnail_image_url": made["thumbnail_image_url"],
        }
    )


async def cancel(request: Request) -> Response:
    """DELETE /video/requests/{id}."""
    services = services_of(request)
    caller = await authenticate(request, write=True)
    stored = await services.requests.cancel(caller.org_id, path_id(request))
    if stored is None:
        raise not_found()
    services.watch.put(stored)
    return reply({"request_id": str(stored.request_id), "status": stored.status.value, "error": stored.error})


async def _stored(request: Request) -> tuple[Services, Stored]:
    services = services_of(request)
    caller = await authenticate(request)
    await limited(request, caller, "poll")
    stored = await services.watch.get(caller.org_id, path_id(request))
    if stored is None:
        raise not_found()
    return services, stored


def _cards(request: Request) -> list[ModelCard]:
    return list(services_of(request).catalog.cards)


def _model(card: ModelCard, kind: str) -> dict[str, Any]:
    return {"id": card.id, "object": kind, "created": card.created_at, "owned_by": card.org_id}
