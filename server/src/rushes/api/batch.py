"""Many requests submitted as one: POST requests:batch, the group's status, and its cancel."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from rushes.api import cursor as cursors
from rushes.api.answers import reply
from rushes.api.auth import Caller, authenticate
from rushes.api.body import fingerprint, json_object
from rushes.api.filters import group_id as read_group_id
from rushes.api.idempotency import idempotency_key, replayed
from rushes.api.limits import limited
from rushes.api.options import read_options
from rushes.api.query import number
from rushes.api.record import seconds
from rushes.api.requests import hops_of, model_and_payload, replay_of, submitter_of
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.domain.request import Status
from rushes.queue.batch import MAX_ITEMS, BatchFaults, Item
from rushes.store.groups import Group, GroupOnce
from rushes.store.records import Filters, Request
from rushes.store.submits import Replay


async def submit(http: HttpRequest) -> Response:
    """POST requests:batch: up to 1,000 submits with one group id, all of them or none."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    headers = await limited(http, caller, "submit")
    body = await json_object(http)
    key, group_id = idempotency_key(http), uuid4()
    submitter = submitter_of(caller, services)
    try:
        items = _items(body, services, caller)
        prepared = await services.batch.prepare(submitter, items, hops_of(http))
    except (ApiError, BatchFaults) as error:
        # What was accepted once is answered again, even if it would be refused today.
        if key is not None and (replay := await replay_of(services, caller, key, body)) is not None:
            return replay
        raise _as_one(error) if isinstance(error, BatchFaults) else error from error
    once = None if key is None else GroupOnce(key, fingerprint(body), lambda made: _answer(group_id, made))
    try:
        made = await services.batch.admit(submitter, group_id, items, prepared, once)
    except Replay as replay:
        return replayed(replay.answer)
    for request in made:
        services.watch.put(request)
        services.forecast.joined(request)
    return Response(_answer(group_id, made), 200, headers, "application/json")


async def group(http: HttpRequest) -> Response:
    """GET groups/{id}: how many requests have each status, and their ids by pages, newest first."""
    services = services_of(http)
    caller = await authenticate(http)
    headers = await limited(http, caller, "poll")
    found = await _found(http, services, caller)
    limit = number(http, "limit", 100, low=1, high=1000, clamp=True)
    cursor = http.query_params.get("cursor")
    page = await services.lists.listed(
        caller.org_id,
        Filters(group_id=found.group_id),
        limit=limit + 1,
        before=cursors.read(cursor) if cursor else None,
    )
    shown, has_more = page.requests[:limit], len(page.requests) > limit
    ids: dict[str, Any] = {
        "request_ids": [str(request.request_id) for request in shown],
        "has_more": has_more,
        "next_cursor": cursors.written(shown[-1].created_at, shown[-1].request_id) if has_more else None,
    }
    return reply({**_shown(found), **ids}, headers=headers)


async def cancel(http: HttpRequest) -> Response:
    """POST groups/{id}/cancel: what is not final is cancelled; always 200 with the group as it is then."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    found = await _found(http, services, caller)
    for request_id in await services.batch.cancel(caller.org_id, found.group_id):
        services.watch.forget(request_id)
    return reply(_shown(await services.batch.group(caller.org_id, found.group_id) or found))


def _items(body: Mapping[str, Any], services: Services, caller: Caller) -> list[Item]:
    """Every item with its options. Raises ApiError 400 for the list as a whole, BatchFaults for its items."""
    given = body.get("requests")
    if not isinstance(given, list) or not 1 <= len(cast(list[Any], given)) <= MAX_ITEMS:
        text = f"Invalid requests, must be a list of 1 to {MAX_ITEMS} submits, each with model and payload"
        raise ApiError("invalid_request", text, param="requests")
    items: list[Item] = []
    faults: dict[int, ApiError] = {}
    for index, each in enumerate(cast(list[Any], given)):
        try:
            items.append(_item(each, services, caller))
        except ApiError as error:
            faults[index] = error
    if faults:
        raise BatchFaults(faults, len(cast(list[Any], given)))
    return items


def _item(value: Any, services: Services, caller: Caller) -> Item:
    if not isinstance(value, dict):
        raise ApiError("invalid_request", "Invalid request, must be an object with model and payload")
    body = cast(dict[str, Any], value)
    model, payload = model_and_payload(body)
    options = read_options(body, services.egress, services.catcher, caller.limit("max_priority"))
    return Item(model, payload, options)


def _as_one(error: BatchFaults) -> ApiError:
    """One 400 that names every fault by the index of its item."""
    faults = [
        {
            "index": index,
            "code": fault.row.code,
            "param": fault.param,
            "error": fault.text,
            "detail": dict(fault.detail) if fault.detail is not None else None,
        }
        for index, fault in sorted(error.faults.items())
    ]
    first = faults[0]
    text = f"{len(faults)} of {error.count} requests are at fault, so none was submitted."
    text += f" [{first['index']}] {first['error']}"
    param = f"requests[{first['index']}]" + (f".{first['param']}" if first["param"] else "")
    return ApiError("invalid_request", text, param=param, detail={"errors": faults})


def _answer(group_id: UUID, made: Sequence[Request]) -> str:
    """What a batch answers, now and every later time under its key; so it holds no forecast."""
    requests = [
        {
            "request_id": str(request.request_id),
            "model": request.model,
            "status": request.status.value,
            "quote_micro_usd": request.quote_micro,
            "warnings": request.warnings,
        }
        for request in made
    ]
    quote = sum(request.quote_micro for request in made)
    answer = {"group_id": str(group_id), "total": len(made), "quote_micro_usd": quote, "requests": requests}
    return orjson.dumps(answer).decode()


async def _found(http: HttpRequest, services: Services, caller: Caller) -> Group:
    """The same 404 for an unknown id, a malformed one and another organisation's."""
    try:
        group_id = read_group_id(http.path_params["group_id"])
    except ApiError:
        group_id = None
    found = await services.batch.group(caller.org_id, group_id) if group_id else None
    if found is None:
        raise ApiError("not_found", "group not found")
    return found


def _shown(found: Group) -> dict[str, Any]:
    return {
        "group_id": str(found.group_id),
        "created_at": seconds(found.created_at),
        "total": found.total,
        "counts": {status.value: found.counts.get(status, 0) for status in Status},
        "final": found.is_final,
        "quote_micro_usd": found.quote_micro,
        "charge_micro_usd": found.charge_micro,
    }
