"""Every error code once: its HTTP status, whether trying again can help, and the words a customer reads first.

Two tables. HTTP_ERRORS answer a call; FAILURES end a request that was accepted (those never become HTTP errors).
409 is used nowhere, because several SDKs retry it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the table of HTTP errors."""

    code: str
    status: int
    retryable: bool
    text: str


@dataclass(frozen=True, slots=True)
class FailureCode:
    """One row of the table of ways in which an accepted request can end as failed."""

    code: str
    retryable: bool
    text: str


def _http(*rows: tuple[str, int, bool, str]) -> dict[str, ErrorCode]:
    return {code: ErrorCode(code, status, retryable, text) for code, status, retryable, text in rows}


HTTP_ERRORS = _http(
    ("invalid_json", 400, False, "Request body is not valid JSON"),
    ("invalid_request", 400, False, "Invalid request"),
    ("invalid_payload", 400, False, "invalid payload parameters"),
    ("content_policy", 400, False, "content policy violation"),
    ("invalid_credentials", 400, False, "Invalid e-mail or password"),
    ("invalid_otp", 400, False, "Invalid code"),
    ("unauthenticated", 401, False, "Invalid or missing API key"),
    ("insufficient_credits", 402, False, "Insufficient credits."),
    ("forbidden", 403, False, "This key lacks the scope"),
    ("model_not_found", 404, False, "Model not found"),
    ("request_not_found", 404, False, "request not found"),
    ("file_not_found", 404, False, "file not found"),
    ("not_found", 404, False, "not found"),
    ("method_not_allowed", 405, False, "Method not allowed"),
    ("artifact_expired", 410, False, "Artifact expired"),
    ("body_too_large", 413, False, "Request body is too large"),
    ("unsupported_media_type", 415, False, "Unsupported media type"),
    ("idempotency_mismatch", 422, False, "Idempotency-Key was used with another body"),
    ("rate_limited", 429, True, "Rate limit reached"),
    ("too_many_queued", 429, True, "Too many queued requests"),
    ("internal", 500, True, "Internal error"),
    ("unavailable", 503, True, "Temporarily unavailable"),
    ("storage_unavailable", 503, True, "Storage is temporarily unavailable"),
)

FAILURES: dict[str, FailureCode] = {
    code: FailureCode(code, retryable, text)
    for code, retryable, text in (
        ("invalid_input", False, "an input cannot be used"),
        ("input_unavailable", True, "an input could not be fetched"),
        ("content_policy", False, "content policy violation"),
        ("unsupported", False, "the engine cannot do this"),
        ("out_of_memory", True, "the engine ran out of memory"),
        ("engine_lost", True, "the engine was lost"),
        ("worker_lost", True, "the worker was lost"),
        ("timeout", True, "the deadline passed"),
        ("upstream_error", True, "the upstream service failed"),
        ("storage_unavailable", True, "the result could not be stored"),
        ("internal", True, "internal error"),
    )
}


class ApiError(Exception):
    """A call that is refused. Raised anywhere below the API, turned into HTTP in one place (api/answers.py).

    `text` begins with the code's own words unless given; no colon and no " - " among the first words, because a
    published client cuts the text there.
    """

    def __init__(
        self,
        code: str,
        text: str | None = None,
        *,
        param: str | None = None,
        detail: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.row = HTTP_ERRORS[code]
        self.text = text or self.row.text
        self.param = param
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(self.text)


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """One thing wrong with one parameter: which, what was given (shortened), the rule, and what is allowed."""

    param: str
    code: str
    """missing | type | enum | range | length | format | unsupported | combination | media"""
    message: str
    allowed: Any = None
    given: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"param": self.param, "code": self.code, "message": self.message, "allowed": self.allowed}


@dataclass(frozen=True)
class InvalidPayload(Exception):
    """A payload with faults, all of them at once, in the order of the card's parameters."""

    faults: Sequence[ParameterFault] = field(default_factory=tuple)

    def __str__(self) -> str:
        listed = ", ".join(f"{fault.param} ({fault.message})" for fault in self.faults)
        return f"{HTTP_ERRORS['invalid_payload'].text}: {listed}"

    def as_api_error(self) -> ApiError:
        return ApiError(
            "invalid_payload",
            str(self),
            param=self.faults[0].param if self.faults else None,
            detail={"errors": [fault.as_json() for fault in self.faults]},
        )
