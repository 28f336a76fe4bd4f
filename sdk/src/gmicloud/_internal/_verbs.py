"""Every verb of the SDK, once, as a flow. client.py gives each a blocking and an awaitable face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._core import Core
from gmicloud._internal._json import as_list
from gmicloud._internal._models import (
    Estimate,
    GetModelResponse,
    GetRequestResponse,
    SubmitRequestRequest,
    SubmitRequestResponse,
)
from gmicloud._internal._requests import SubmitOptions
from gmicloud._internal._step import Flow
from gmicloud.errors import BadAnswerError, GmiError, InvalidRequestError, NotFoundError, UnsupportedError
from gmicloud.files import with_uploads
from gmicloud.wait import OnProgress, RequestLike, finished, request_id_of, wait

PAGE = 100


def get_models(core: Core) -> Flow[list[GetModelResponse]]:
    """Every model. With an API key the documented service lists ids only; the catalogue route fills in the rest."""
    listed = yield from core.ask(requests.list_models(core.routes))
    body = answers.read_object(listed)
    if "models" in body:
        return answers.read_list(listed, "models", GetModelResponse)
    if not isinstance(body.get("model_ids"), list):
        raise BadAnswerError("the model list holds neither models nor model_ids", code="bad_answer")
    try:
        catalogue = yield from core.ask(requests.list_catalogue(core.routes))
        whole = {card.model: card for card in answers.read_list(catalogue, "models", GetModelResponse)}
    except GmiError:
        whole = {}  # the ids alone are still an answer
    return [whole.get(str(one)) or GetModelResponse(model=str(one)) for one in as_list(body["model_ids"])]


def get_model_detail(core: Core, model_id: str) -> Flow[GetModelResponse]:
    """One model, read anew."""
    card = answers.read((yield from core.ask(requests.get_model(core.routes, model_id))), GetModelResponse)
    core.cards[model_id] = card
    return card


def create_request(core: Core, request: SubmitRequestRequest) -> Flow[SubmitRequestResponse]:
    """Submit, with local files uploaded on the way."""
    return (yield from submit(core, request.model, request.payload))


def submit(
    core: Core, model: str, payload: Mapping[str, Any], options: SubmitOptions | None = None
) -> Flow[SubmitRequestResponse]:
    """Submit once, however often the call has to be repeated."""
    requests.check_submission(model, payload)
    key = checked_key((options or {}).get("idempotency_key") or str(uuid4()))
    ready = yield from with_uploads(core, model, payload)
    call = requests.submit(core.routes, model, ready, key=key, options=options)
    # A model that answers only when done (WIRE 2.6) may take minutes.
    return answers.read((yield from core.ask(replace(call, patience=120.0))), SubmitRequestResponse)


def checked_key(key: str) -> str:
    """The same idempotency key. Raises InvalidRequestError for one that no header can carry."""
    if not (key.isascii() and key.isprintable() and 0 < len(key) < 256 and " " not in key):
        raise InvalidRequestError("idempotency_key must be 1 to 255 visible ASCII characters", param="idempotency_key")
    return key


def generate(
    core: Core,
    model: str,
    payload: Mapping[str, Any],
    options: SubmitOptions | None,
    timeout: float | None,
    on_progress: OnProgress | None,
) -> Flow[GetRequestResponse]:
    """Submit, wait and return the record of a success."""
    made = yield from submit(core, model, payload, options)
    return finished((yield from wait(core, made, timeout=timeout, on_progress=on_progress)))


def get_request_detail(core: Core, request_id: str) -> Flow[GetRequestResponse | None]:
    """The record of a request, or None for an unknown id."""
    try:
        answer = yield from core.ask(requests.get_request(core.routes, request_id))
    except NotFoundError:
        return None
    return answers.read(answer, GetRequestResponse)


def get_requests(
    core: Core, model_id: str | None, status: str | Sequence[str] | None, limit: int | None
) -> Flow[list[GetRequestResponse]]:
    """Requests, newest first, page by page until all or `limit` are there."""
    words = [status] if isinstance(status, str) else list(status or ())
    found: dict[str, GetRequestResponse] = {}
    cursor: str | None = None
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        call = requests.list_requests(
            core.routes, model_id=model_id, status=words, limit=size, cursor=cursor, offset=len(found)
        )
        answer = yield from core.ask(call)
        page = answers.read_list(answer, "requests", GetRequestResponse)
        before = len(found)
        found |= {record.request_id: record for record in page}
        body = answers.read_object(answer)
        cursor = body.get("next_cursor") if isinstance(body.get("next_cursor"), str) else None
        # A page that brings nothing new ends the list, whatever has_more claims.
        if not page or len(found) == before or not (cursor or body.get("has_more")):
            break
    return list(found.values())


def cancel(core: Core, request: RequestLike) -> Flow[GetRequestResponse]:
    """Cancel and return the record; a request that finished first is returned as it is."""
    request_id = request_id_of(request)
    answer = yield from core.ask(requests.cancel(core.routes, request_id))
    try:
        return answers.read(answer, GetRequestResponse)
    except BadAnswerError:  # the documented service does not say what DELETE answers
        again = yield from core.ask(requests.get_request(core.routes, request_id))
        return answers.read(again, GetRequestResponse)


def estimate(core: Core, model: str, payload: Mapping[str, Any], options: SubmitOptions | None) -> Flow[Estimate]:
    """What a submit would cost and do. Raises UnsupportedError where a dry run would be a real submit."""
    requests.check_submission(model, payload)
    if not (yield from core.identify()):
        raise UnsupportedError("this server gives no estimates; see price_info of the model", code="unsupported")
    ready = yield from with_uploads(core, model, payload)
    call = requests.submit(core.routes, model, ready, key="", options=options, dry_run=True)
    return answers.read((yield from core.ask(call)), Estimate)
