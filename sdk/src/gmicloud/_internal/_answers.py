"""Pure readers: answers as objects, refusals as exceptions. Nothing here does anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from json import JSONDecodeError, loads
from typing import Any, TypeVar

from pydantic import ValidationError

from gmicloud._internal._json import as_list, as_object
from gmicloud._internal._models import Record
from gmicloud._internal._step import Answer
from gmicloud.errors import (
    APIStatusError,
    ArtifactExpiredError,
    AuthenticationError,
    BadAnswerError,
    ContentPolicyError,
    InsufficientCreditsError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

R = TypeVar("R", bound=Record)

BY_STATUS: dict[int, type[APIStatusError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: InsufficientCreditsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    410: ArtifactExpiredError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
}
BY_CODE: dict[str, type[APIStatusError]] = {
    "content_policy": ContentPolicyError,
    "invalid_credentials": AuthenticationError,
    "invalid_otp": AuthenticationError,
}
RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_TEXT = 2000


def read(answer: Answer, kind: type[R]) -> R:
    """The body as an object. Raises BadAnswerError when a field nobody can do without is missing."""
    try:
        return kind.model_validate(read_object(answer))
    except ValidationError as error:
        missing = ", ".join(str(one["loc"][0]) for one in error.errors() if one["loc"]) or "everything"
        raise _bad(answer, f"lacks {missing}") from None


def read_object(answer: Answer) -> dict[str, Any]:
    """The body as a JSON object. Raises BadAnswerError when it is something else."""
    body = as_object(answer.json())
    if body is None:
        raise _bad(answer, "is not a JSON object")
    return body


def read_list(answer: Answer, key: str, kind: type[R]) -> list[R]:
    """The objects under `key`; a null counts as none. Raises BadAnswerError when they are something else."""
    found = read_object(answer).get(key)
    if found is not None and not isinstance(found, list):
        raise _bad(answer, f"has no list under {key}")
    try:
        return [kind.model_validate(entry) for entry in as_list(found)]
    except ValidationError:
        raise _bad(answer, f"has entries under {key} that are not {key}") from None


def read_text(answer: Answer, key: str) -> str:
    """The text under `key`. Raises BadAnswerError when there is none."""
    text = read_object(answer).get(key)
    if not isinstance(text, str) or not text:
        raise _bad(answer, f"lacks {key}")
    return text


def refusal(answer: Answer, clean: Callable[[str], str] = str) -> Exception:
    """The exception for an answer that is not a 2xx. `clean` takes secrets out of what the server wrote."""
    call = answer.call
    if answer.status < 400:
        return _bad(answer, "is a redirect, which is not followed; is base_url right?")
    body = _error_body(answer)
    nested = body.get("error")
    inner = as_object(nested) or {}
    code = _word(body.get("code")) or _word(inner.get("code"))
    text = _word(nested) or _word(body.get("message")) or _word(inner.get("message")) or _word(body.get("detail"))
    kind = BY_CODE.get(code or "") or BY_STATUS.get(answer.status)
    kind = kind or (ServerError if answer.status >= 500 else APIStatusError)
    retryable = body.get("retryable")
    return kind(
        clean(text[:LONGEST_TEXT]) if text else f"{call.place} was refused: {answer.status} {_phrase(answer.status)}",
        code=clean(code) if code else None,
        param=_word(body.get("param")),
        request_id=call.request_id,
        status_code=answer.status,
        retryable=retryable if isinstance(retryable, bool) else answer.status in RETRYABLE,
        detail=as_object(body.get("detail")),
        retry_after=retry_after(answer.headers),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from a number or an HTTP date (RFC 9110 section 10.2.3); None when absent or nonsense."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.replace(".", "", 1).isdigit() and text.isascii():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _error_body(answer: Answer) -> Mapping[str, Any]:
    try:
        return as_object(loads(answer.content)) or {}
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a reason"


def _bad(answer: Answer, what: str) -> BadAnswerError:
    return BadAnswerError(
        f"the answer to {answer.call.place} {what}",
        code="bad_answer",
        status_code=answer.status,
        request_id=answer.call.request_id,
    )
