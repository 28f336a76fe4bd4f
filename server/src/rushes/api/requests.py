"""Requests over HTTP: submit, observe, list, cancel, purge."""

import contextlib
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from rushes.api import cursor as cursors
from rushes.api.answers import reply
from rushes.api.auth import Caller, authenticate
from rushes.api.body import fingerprint, json_object
from rushes.api.filters import read_filters
from rushes.api.idempotency import idempotency_key, replayed
from rushes.api.limits import limited
from rushes.api.options import read_options
from rushes.api.query import flag, number, uuid_of
from rushes.api.record import full_record, links_end, record, short_record
from rushes.api.services import Services, services_of
from rushes.api.waiting import waiting_for
from rushes.domain.errors import ApiError, InvalidPayload
from rushes.moments import moment
from rushes.queue.submit import Prepared, Submitter
from rushes.store.database import DatabaseUnavailable
from rushes.store.records import Request
from rushes.store.submits import KeyReused, Replay

MAX_WAIT = 60
MAX_HOPS = 3
SYNCHRONOUS_WAIT = 60
"""Cards marked synchronous_post answer when done, as their upstream does; client time-outs there are 120 s and more."""


async def submit(http: HttpRequest) -> Response:
    """POST /requests. The order of the checks is WIRE.md 2.3; nothing is stored or charged before all have passed."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    dry_run = flag(http, "dry_run")
    headers = await limited(http, caller, "dry_run" if dry_run else "submit")
    body = await json_object(http)
    key = None if dry_run else idempotency_key(http)
    submitter = submitter_of(caller, services)
    try:
        model, payload = model_and_payload(body)
        options = read_options(body, services.egress, services.catcher, caller.limit("max_priority"))
        prepared = await services.submit.prepare(submitter, model, payload, dry_run=dry_run, hops=hops_of(http))
        wait = number(http, "wait", SYNCHRONOUS_WAIT if prepared.card.synchronous_post else 0, low=0, high=MAX_WAIT)
    except (ApiError, InvalidPayload):
        # What was accepted once is answered again, even if it would be refused today. (A key is looked up here and,
        # for a body that is good, inside the submit itself: never twice.)
        if key is not None and (replay := await replay_of(services, caller, key, body)) is not None:
            return replay
        raise
    if dry_run:
        return reply(await _dry_answer(prepared, services), headers=headers)
    idempotency = None if key is None else (key, fingerprint(body), _first_answer)
    try:
        request = await services.submit.admit(submitter, prepared, options, idempotency=idempotency)
    except Replay as replay:
        return replayed(replay.answer)
    moment("submit committed")
    services.watch.put(request)
    services.forecast.joined(request)
    # It is stored: were the database lost now, a 503 would have it submitted twice.
    with contextlib.suppress(DatabaseUnavailable):
        if wait:
            final = await services.watch.final(caller.org_id, request.request_id, wait)
            return reply(await full_record(final or request, services), headers=headers)
        if key is None:
            position = await services.forecast.position(request)
            eta = await services.forecast.eta(request, position, 0.0)
            return reply(short_record(request, position, eta), headers=headers)
    return Response(_first_answer(request), 200, headers, "application/json")


async def observe(http: HttpRequest) -> Response:
    """GET /requests/{id}, at once or (?wait=N) as soon as the status is final."""
    services = services_of(http)
    caller = await authenticate(http)
    headers = await limited(http, caller, "poll")
    request_id = path_id(http)
    asked = bool(http.scope["query_string"])
    wait = number(http, "wait", 0, low=0, high=MAX_WAIT, clamp=True) if asked else 0
    if wait:
        request = await services.watch.final(caller.org_id, request_id, wait)
    else:
        request = await services.watch.get(caller.org_id, request_id)
    if request is None:
        raise not_found()
    if request.final and not asked:
        until = links_end(services.settings.link_seconds)
        known = services.final_answers.of(request, until, lambda: record(request, services))
        return Response(known, 200, headers, "application/json")
    answer = await full_record(request, services)
    if flag(http, "attempts"):
        answer["attempts"] = [_attempt(request, row) for row in await services.requests.attempts(request_id)]
    if flag(http, "cleaned"):
        answer["cleaned_payload"] = request.params
    if not request.final:
        headers["Retry-After"] = str(min(10, max(1, answer["eta_seconds"] or 2)))
    return reply(answer, headers=headers)


async def listing(http: HttpRequest) -> Response:
    """GET /requests: newest first, filtered, by offset or cursor."""
    services = services_of(http)
    caller = await authenticate(http)
    headers = await limited(http, caller, "poll")
    limit = number(http, "limit", 100, low=1, high=1000, clamp=True)
    offset = number(http, "offset", 0, low=0, high=10**9)
    cursor = http.query_params.get("cursor")
    if cursor and "offset" in http.query_params:
        raise ApiError("invalid_request", "Invalid cursor, give either cursor or offset", param="cursor")
    before = cursors.read(cursor) if cursor else None
    found = await services.lists.listed(
        caller.org_id, read_filters(http, services), limit=limit + 1, offset=offset, before=before
    )
    page = found.requests[:limit]
    has_more = len(found.requests) > limit
    return reply(
        {
            "requests": [record(request, services) for request in page],
            "total": found.total,
            "total_capped": found.capped,
            "has_more": has_more,
            "next_cursor": cursors.written(page[-1].created_at, page[-1].request_id) if has_more else None,
        },
        headers=headers,
    )


async def cancel(http: HttpRequest) -> Response:
    """DELETE /requests/{id} and POST /requests/{id}/cancel: always 200 with the record as it is now."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    request_id = path_id(http)
    request = await services.requests.cancel(caller.org_id, request_id)
    if request is None:
        raise not_found()
    if http.method == "DELETE" and flag(http, "purge"):
        request = await services.requests.purge(caller.org_id, request_id) or request
        services.maintenance.wake()
    services.watch.put(request)
    return reply(await full_record(request, services))


def not_found() -> ApiError:
    """The same for an unknown id, a malformed one and another organisation's."""
    return ApiError("request_not_found")


def path_id(http: HttpRequest) -> UUID:
    """The request id in the path. Raises the same 404 for a malformed one as for an unknown one."""
    text = http.path_params["request_id"]
    request_id = uuid_of(text)
    if request_id is None:
        raise not_found()
    return request_id


def submitter_of(caller: Caller, services: Services) -> Submitter:
    limit = caller.limit("max_queued")
    return Submitter(
        caller.org_id, caller.key_id, caller.user_id, services.settings.max_queued if limit is None else limit
    )


def hops_of(http: HttpRequest) -> int:
    """How many servers of ours have passed the request on. Raises ApiError where that looks like a ring of them."""
    said = http.headers.get("Rushes-Hops", "0").strip()
    hops = int(said) if said.isdigit() and len(said) < 4 else MAX_HOPS + 1
    if hops > MAX_HOPS:
        text = f"Invalid Rushes-Hops, a request is passed on {MAX_HOPS} times at most; the servers may form a ring"
        raise ApiError("invalid_request", text, param="Rushes-Hops")
    return hops


def model_and_payload(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What a submit must have. Raises ApiError 400."""
    model, payload = body.get("model"), body.get("payload")
    if not isinstance(model, str) or not model.strip():
        raise ApiError("invalid_request", "Invalid model, must be a model id; GET models lists them", param="model")
    if payload is None:
        raise ApiError(
            "invalid_request", "Missing payload, must be an object of the model's parameters", param="payload"
        )
    if not isinstance(payload, dict):
        raise ApiError("invalid_request", "Invalid payload, must be an object", param="payload")
    return model.strip(), cast(dict[str, Any], payload)


async def replay_of(services: Services, caller: Caller, key: str, body: Mapping[str, Any]) -> Response | None:
    """The first answer of an idempotency key; None for a new key. Raises ApiError 422 for another body."""
    try:
        answer = await services.requests.replayed(caller.org_id, key, fingerprint(body))
    except KeyReused as error:
        raise ApiError("idempotency_mismatch") from error
    return None if answer is None else replayed(answer)


def _first_answer(request: Request) -> str:
    """What a submit under an idempotency key answers, now and every later time; so it holds no forecast."""
    return orjson.dumps(short_record(request, None, None)).decode()


async def _dry_answer(prepared: Prepared, services: Services) -> dict[str, Any]:
    await services.forecast.refresh()
    plan = prepared.plan
    expected = services.forecast.expected(prepared.card.id, plan.as_json())
    return {
        "valid": True,
        "model": prepared.card.id,
        "payload": dict(prepared.params),
        "warnings": prepared.warnings,
        "quote_micro_usd": prepared.quote_micro,
        "engine": prepared.engine,
        "waiting_for": await waiting_for(services, prepared.lane),
        "queue_position": None,
        "eta_seconds": _rounded(expected),
        "eta_spread": services.forecast.spread(prepared.card.id, expected),
        "plan": {
            "width": plan.width,
            "height": plan.height,
            "size_follows": "the first picture" if plan.width is None else None,
            "frames": plan.keep_frames,
            "fps": plan.fps,
            "seconds": plan.seconds,
            "seed": "drawn at submit" if _seed_is_drawn(prepared) else plan.seed,
        },
    }


def _seed_is_drawn(prepared: Prepared) -> bool:
    given = prepared.card.value(prepared.params, "seed")
    return given is None or str(given) == "-1"


def _rounded(value: float | None) -> int | None:
    return None if value is None else max(1, round(value))


def _attempt(request: Request, row: Any) -> dict[str, Any]:
    return {
        "attempt": row["attempt"],
        "engine": request.engine,
        "qworker_id": str(row["qworker_id"]),
        "claimed_at": int(row["claimed_at"].timestamp()),
        "finished_at": int(row["finished_at"].timestamp()) if row["finished_at"] else None,
        "stages": orjson.loads(row["stages"]),
        "result": row["result"],
        "error": row["error"],
    }
