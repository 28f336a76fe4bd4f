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
    advice: str
    """What to do next; for the reference."""


@dataclass(frozen=True, slots=True)
class FailureCode:
    """One row of the table of ways in which an accepted request can end as failed."""

    code: str
    retryable: bool
    text: str
    advice: str
    """What to do next; for the reference."""


def _http(*rows: tuple[str, int, bool, str, str]) -> dict[str, ErrorCode]:
    return {row[0]: ErrorCode(*row) for row in rows}


HTTP_ERRORS = _http(
    (
        "invalid_json",
        400,
        False,
        "Request body is not valid JSON",
        "Send one JSON value, at most 32 levels deep, with finite numbers.",
    ),
    ("invalid_request", 400, False, "Invalid request", "Correct the key or query value that param names."),
    (
        "invalid_payload",
        400,
        False,
        "invalid payload parameters",
        "detail.errors lists every fault with what is allowed; GET models/{id} has the parameters.",
    ),
    ("content_policy", 400, False, "content policy violation", "Change the prompt or the inputs."),
    (
        "invalid_credentials",
        400,
        False,
        "Invalid e-mail or password",
        "Check e-mail and password; an operator can set a new one.",
    ),
    ("invalid_otp", 400, False, "Invalid code", "Enter the code shown now; each works once."),
    (
        "unauthenticated",
        401,
        False,
        "Invalid or missing API key",
        "Send Authorization with a key that is neither revoked nor expired.",
    ),
    (
        "insufficient_credits",
        402,
        False,
        "Insufficient credits.",
        "Add balance, raise the key's limit, or wait until held quotes are free again.",
    ),
    (
        "forbidden",
        403,
        False,
        "This key lacks the scope",
        "Use a credential with the scope or role that is named, or read the record again for a fresh link.",
    ),
    ("model_not_found", 404, False, "Model not found", "detail.suggestions has the nearest ids; GET models lists all."),
    (
        "request_not_found",
        404,
        False,
        "request not found",
        "Check the id and that the key belongs to the organisation that submitted it.",
    ),
    ("file_not_found", 404, False, "file not found", "Upload the file again; files expire."),
    ("not_found", 404, False, "not found", "Check the path against /docs."),
    ("method_not_allowed", 405, False, "Method not allowed", "The header Allow names the methods of this path."),
    (
        "artifact_expired",
        410,
        False,
        "Artifact expired",
        "Read the record again for a new link; after expires_at the file is gone.",
    ),
    ("body_too_slow", 408, True, "Request body came too slowly", "Send a thousand bytes a second at least."),
    ("body_too_large", 413, False, "Request body is too large", "Send the file through upload-url or as a URL."),
    (
        "unsupported_media_type",
        415,
        False,
        "Unsupported media type",
        "Send application/json, or multipart/form-data to files.",
    ),
    ("idempotency_mismatch", 422, False, "Idempotency-Key was used with another body", "Use a new key for a new body."),
    ("rate_limited", 429, True, "Rate limit reached", "Wait for Retry-After seconds."),
    ("too_many_queued", 429, True, "Too many queued requests", "Wait until some requests have finished."),
    ("internal", 500, True, "Internal error", "Try again; if it stays, tell the operator the time and the path."),
    ("unavailable", 503, True, "Temporarily unavailable", "Wait for Retry-After seconds and try again."),
    (
        "storage_unavailable",
        503,
        True,
        "Storage is temporarily unavailable",
        "Try again; an operator should look at the disk or the object store.",
    ),
)

FAILURES: dict[str, FailureCode] = {
    row[0]: FailureCode(*row)
    for row in (
        ("invalid_input", False, "an input cannot be used", "Replace the input that the text names."),
        (
            "input_unavailable",
            True,
            "an input could not be fetched",
            "Check that the address can be reached from the server, or upload the file.",
        ),
        ("content_policy", False, "content policy violation", "Change the prompt or the inputs."),
        ("unsupported", False, "the engine cannot do this", "Choose another model or other parameters."),
        ("out_of_memory", True, "the engine ran out of memory", "Ask for a smaller size or a shorter video."),
        ("engine_lost", True, "the engine was lost", "Submit again."),
        (
            "worker_lost",
            True,
            "the worker was lost",
            "Submit again; if it stays, an operator should look at the workers' logs.",
        ),
        ("timeout", True, "the deadline passed", "Submit again, with a shorter video where that is possible."),
        ("upstream_error", True, "the upstream service failed", "Submit again later."),
        (
            "storage_unavailable",
            True,
            "the result could not be stored",
            "Submit again; an operator should look at the disk or the object store.",
        ),
        ("internal", True, "internal error", "Submit again; if it stays, tell the operator the request id."),
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
