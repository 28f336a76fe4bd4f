"""Waiting for a request, and hearing of each step on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._core import Core
from gmicloud._internal._enums import RequestStatus
from gmicloud._internal._models import GetRequestResponse, SubmitRequestResponse
from gmicloud._internal._retry import Retries
from gmicloud._internal._step import Answer, Flow, Pause, Tell
from gmicloud.errors import APIConnectionError, GmiError, RequestCancelledError, RequestFailedError, WaitTimeout

RequestLike = str | SubmitRequestResponse
OnProgress = Callable[[GetRequestResponse], Any]

DEFAULT_TIMEOUT = 1800.0
LONGEST_SLICE = 20
WATCHED_SLICE = 1
OUTAGE = 60.0
"""Seconds of continuous silence or 5xx a wait lives through."""


def request_id_of(request: RequestLike) -> str:
    """The id, from an id or a record."""
    return request if isinstance(request, str) else request.request_id


def wait(
    core: Core, request: RequestLike, *, timeout: float | None, on_progress: OnProgress | None
) -> Flow[GetRequestResponse]:
    """The record of a request once it is final, whatever the end.

    Our server holds each answer until something is final (long poll); others are asked every 5 to 10 seconds. Short
    outages are outlived. Raises WaitTimeout after `timeout` seconds; the request goes on.
    """
    request_id = request_id_of(request)
    started = core.clock()
    patience = Patience(core, request_id)
    record: GetRequestResponse | None = None
    polls = 0
    while True:
        left = None if timeout is None else timeout - (core.clock() - started)
        if left is not None and left <= 0 and polls:
            raise WaitTimeout(request_id, timeout or 0.0, record=record)
        slice_ = _slice(core, left, watched=on_progress is not None) if polls else 0
        polls += 1
        try:
            answer = yield from core.ask(requests.get_request(core.routes, request_id, wait=slice_), retries=NONE)
        except GmiError as error:
            yield Pause(_within(patience.lost(error), left))
            continue
        patience.restored()
        record = answers.read(answer, GetRequestResponse)
        if on_progress is not None:
            yield Tell(on_progress, record)
        if record.is_final:
            return record
        if not core.rushes:
            yield Pause(_within(_polite(answer, polls), left))


def finished(record: GetRequestResponse) -> GetRequestResponse:
    """The same record if it is a success. Raises RequestFailedError or RequestCancelledError with the reason."""
    if record.status == RequestStatus.SUCCESS:
        return record
    kind = RequestCancelledError if record.status == RequestStatus.CANCELLED else RequestFailedError
    reason = record.error_text or "no reason given"
    raise kind(
        f"request {record.request_id} {record.status}: {reason}",
        record=record,
        code=record.error_code or str(record.status),
        request_id=record.request_id,
        retryable=record.retryable is True,
    )


NONE = Retries(most=0)


class Patience:
    """How long a failing server is put up with while waiting: OUTAGE seconds from the last answer."""

    def __init__(self, core: Core, request_id: str) -> None:
        self._core = core
        self._request_id = request_id
        self._retries = Retries(most=10_000, draw=core.retries.draw)
        self.restored()

    def restored(self) -> None:
        """An answer came."""
        self._since: float | None = None
        self._tried = 0

    def lost(self, error: GmiError) -> float:
        """Seconds until the next try. Raises the error, with the request's id, when it is permanent or lasts."""
        error.request_id = error.request_id or self._request_id
        now = self._core.clock()
        self._since = now if self._since is None else self._since
        delay = self._retries.delay(error, min(self._tried, 10))
        self._tried += 1
        limited = error.status_code == 429
        if delay is None or (not limited and now - self._since + delay > OUTAGE):
            raise error
        if isinstance(error, APIConnectionError):
            delay = max(delay, 0.5)
        return delay


def _slice(core: Core, left: float | None, *, watched: bool) -> int:
    if not core.rushes:
        return 0
    longest = WATCHED_SLICE if watched else LONGEST_SLICE
    return longest if left is None else max(1, min(longest, round(left)))


def _polite(answer: Answer, polls: int) -> float:
    asked = answers.retry_after(answer.headers)
    return max(min(5.0 + 0.5 * (polls - 1), 10.0), asked or 0.0)


def _within(delay: float, left: float | None) -> float:
    return delay if left is None else max(0.0, min(delay, left))
