"""One action on many requests, named one by one or by a filter whose count the caller has seen."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from uuid import UUID

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from rushes.api.again import submitted_again
from rushes.api.answers import reply
from rushes.api.auth import Caller, authenticate
from rushes.api.body import fingerprint, json_object
from rushes.api.filters import filters_in_body
from rushes.api.idempotency import idempotency_key
from rushes.api.limits import limited
from rushes.api.query import uuid_of
from rushes.api.requests import replay_of
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError, InvalidPayload
from rushes.domain.request import Status
from rushes.store.records import Request
from rushes.store.submits import Replay

MAX_REQUESTS = 1000

Act = Callable[[Request], Awaitable[UUID | None]]
"""Does it to one request: the id of the new one for a retry. Raises ApiError or InvalidPayload when it cannot be."""


async def bulk(http: HttpRequest) -> Response:
    """POST requests/bulk: cancel, retry or purge. What could not be done is in `skipped`, with the reason."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    headers = await limited(http, caller, "poll")
    body, key = await json_object(http), idempotency_key(http)
    if key is not None and (replay := await replay_of(services, caller, key, body)) is not None:
        return replay
    act = _act(body.get("action"), http, services, caller, key)
    found, skipped = await _chosen(body, services, caller)
    retried: dict[str, str] = {}
    done = 0
    for request in found:
        try:
            new_id = await act(request)
        except InvalidPayload as error:
            skipped.append(_skipped(str(request.request_id), error.as_api_error()))
        except ApiError as error:
            skipped.append(_skipped(str(request.request_id), error))
        else:
            done += 1
            if new_id is not None:
                retried[str(request.request_id)] = str(new_id)
    if body["action"] == "purge" and done:
        services.maintenance.wake()
    answer = orjson.dumps({"matched": len(found), "done": done, "skipped": skipped, "retried": retried}).decode()
    if key is not None and not await services.requests.keep_answer(caller.org_id, key, fingerprint(body), answer):
        # Somebody did the same at the same time, and was first to say what came of it.
        return await replay_of(services, caller, key, body) or reply(orjson.loads(answer), headers=headers)
    return Response(answer, 200, headers, "application/json")


def _act(action: Any, http: HttpRequest, services: Services, caller: Caller, key: str | None) -> Act:
    async def cancel(request: Request) -> None:
        if request.final:
            raise ApiError("invalid_request", f"The request is final, its status is {request.status}")
        now = await services.requests.cancel(caller.org_id, request.request_id)
        services.watch.put(request)
        if now is None or now.status is not Status.CANCELLED:
            raise ApiError("invalid_request", "The request ended before it could be cancelled")

    async def purge(request: Request) -> None:
        await services.requests.cancel(caller.org_id, request.request_id)
        await services.requests.purge(caller.org_id, request.request_id)
        services.watch.put(request)

    async def retry(request: Request) -> UUID:
        await limited(http, caller, "submit")  # each is a submit like any other
        if key is None:
            return (await submitted_again(services, caller, request)).request_id
        # Under a key each retry has one of its own, which no customer can send: a call that breaks off and is repeated
        # submits nothing twice.
        own = f"\x01{key} {request.request_id}"
        once = (own, fingerprint({"retry_of": str(request.request_id)}), _id_of)
        try:
            return (await submitted_again(services, caller, request, once)).request_id
        except Replay as replay:
            return UUID(replay.answer)

    match action:
        case "cancel":
            return cancel
        case "purge":
            return purge
        case "retry":
            return retry
        case _:
            raise ApiError("invalid_request", "Invalid action, must be cancel, retry or purge", param="action")


async def _chosen(
    body: Mapping[str, Any], services: Services, caller: Caller
) -> tuple[list[Request], list[dict[str, Any]]]:
    """The requests meant, and the ids among them that are nobody's or somebody else's."""
    if ("ids" in body) == ("filter" in body):
        raise ApiError("invalid_request", "Give either ids, or filter and expect", param="ids")
    if "filter" in body:
        return await _by_filter(body, services, caller), []
    ids = body["ids"]
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in cast(list[Any], ids)):
        raise ApiError("invalid_request", "Invalid ids, must be a list of request ids", param="ids")
    names = list(dict.fromkeys(cast(list[str], ids)))
    if not 1 <= len(names) <= MAX_REQUESTS:
        raise ApiError("invalid_request", f"Invalid ids, must be 1 to {MAX_REQUESTS} request ids", param="ids")
    found: list[Request] = []
    skipped: list[dict[str, Any]] = []
    for name in names:
        request = await services.requests.get(caller.org_id, known) if (known := uuid_of(name)) else None
        if request is None:
            skipped.append(_skipped(name, ApiError("request_not_found")))
        else:
            found.append(request)
    return found, skipped


async def _by_filter(body: Mapping[str, Any], services: Services, caller: Caller) -> list[Request]:
    """What a filter matches. Raises ApiError 400, having changed nothing, when it is not as many as expected."""
    expected = body.get("expect")
    if not isinstance(expected, int) or isinstance(expected, bool) or not 0 <= expected <= MAX_REQUESTS:
        raise ApiError(
            "invalid_request",
            f"Invalid expect, must be the number of requests that the filter matches, at most {MAX_REQUESTS}",
            param="expect",
        )
    filters = filters_in_body(body["filter"], services)
    page = await services.lists.listed(caller.org_id, filters, limit=MAX_REQUESTS)
    found, total = page.requests, page.total
    if total != expected or len(found) != expected:
        raise ApiError(
            "invalid_request",
            f"The filter matches {total} requests, not {expected}, so nothing was changed",
            param="expect",
            detail={"matched": total},
        )
    return found


def _skipped(request_id: str, error: ApiError) -> dict[str, Any]:
    return {"request_id": request_id, "code": error.row.code, "error": error.text}


def _id_of(request: Request) -> str:
    """What is kept as the first answer of one retry of a bulk call."""
    return str(request.request_id)
