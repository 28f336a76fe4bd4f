"""Groups: many requests submitted as one, watched as one, cancelled as one. Our server only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._core import Core
from gmicloud._internal._models import GetRequestResponse, Group, SubmitRequestRequest
from gmicloud._internal._requests import SubmitOptions
from gmicloud._internal._step import Flow, Pause
from gmicloud._internal._verbs import PAGE, checked_key
from gmicloud.errors import GmiError, InvalidRequestError, UnsupportedError, WaitTimeout
from gmicloud.files import with_uploads
from gmicloud.wait import NONE, Patience

Submission = SubmitRequestRequest | tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], SubmitOptions]
GroupLike = str | Group

MAX_SUBMISSIONS = 1000
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


def submit_many(
    core: Core, submissions: Sequence[Submission], options: SubmitOptions | None, idempotency_key: str | None
) -> Flow[Group]:
    """Submit all or none, once, however often the call has to be repeated."""
    if not 1 <= len(submissions) <= MAX_SUBMISSIONS:
        raise InvalidRequestError(f"submit_many takes 1 to {MAX_SUBMISSIONS} requests", param="requests")
    key = checked_key(idempotency_key or str(uuid4()))
    if not (yield from core.identify()):
        raise UnsupportedError("this server takes one request at a time; submit each", code="unsupported")
    bodies: list[dict[str, Any]] = []
    for one in submissions:
        model, payload, own = _parts(one)
        requests.check_submission(model, payload)
        ready = yield from with_uploads(core, model, payload)
        bodies.append(requests.submission(model, ready, {**(options or {}), **(own or {})}))
    call = requests.submit_many(core.routes, bodies, key=key)
    return answers.read((yield from core.ask(replace(call, patience=120.0))), Group)


def get_group(core: Core, group: GroupLike) -> Flow[Group]:
    """How a group stands."""
    return answers.read((yield from core.ask(requests.get_group(core.routes, group_id_of(group)))), Group)


def wait_group(core: Core, group: GroupLike, timeout: float | None) -> Flow[Group]:
    """The group once every request of it is final. Short outages are outlived. Raises WaitTimeout."""
    group_id = group_id_of(group)
    started = core.clock()
    patience = Patience(core, group_id)
    pause = SHORTEST_PAUSE
    while True:
        try:
            answer = yield from core.ask(requests.get_group(core.routes, group_id), retries=NONE)
        except GmiError as error:
            delay = patience.lost(error)
        else:
            patience.restored()
            now = answers.read(answer, Group)
            if now.final:
                return now
            delay = pause
            pause = min(LONGEST_PAUSE, pause * 1.5)
        left = None if timeout is None else timeout - (core.clock() - started)
        if left is not None and left <= 0:
            raise WaitTimeout(group_id, timeout or 0.0)
        yield Pause(delay if left is None else min(delay, left))


def cancel_group(core: Core, group: GroupLike) -> Flow[Group]:
    """Cancel what is not final."""
    return answers.read((yield from core.ask(requests.cancel_group(core.routes, group_id_of(group)))), Group)


def group_requests(core: Core, group: GroupLike) -> Flow[list[GetRequestResponse]]:
    """The records of a group's requests, in the order in which they were submitted."""
    found: list[GetRequestResponse] = []
    cursor: str | None = None
    while True:
        answer = yield from core.ask(
            requests.list_requests(
                core.routes, model_id=None, status=(), limit=PAGE, cursor=cursor, group_id=group_id_of(group)
            )
        )
        found += answers.read_list(answer, "requests", GetRequestResponse)
        cursor = answers.read_object(answer).get("next_cursor")
        if not cursor:
            return found[::-1]


def group_id_of(group: GroupLike) -> str:
    """The id, from an id or a group."""
    return group if isinstance(group, str) else group.group_id


def _parts(one: Submission) -> tuple[str, Mapping[str, Any], SubmitOptions | None]:
    if isinstance(one, SubmitRequestRequest):
        return one.model, one.payload, None
    return (one[0], one[1], None) if len(one) == 2 else one
