"""Every exception the SDK raises on purpose. All are GmiError; none carries a secret.

GmiError
  ConfigurationError (ValueError)      credentials or settings are missing or malformed
  APIConnectionError                   no answer: server down, name unknown, connection lost
    APITimeoutError (TimeoutError)     no answer in time
    TLSError                           the certificate or the handshake was refused
  BadAnswerError                       an answer that is not what the API promises
  APIStatusError                       the server refused the call
    InvalidRequestError (ValueError)   400, 413, 415, 422, and what the SDK refuses before sending
      ContentPolicyError
    AuthenticationError                401, or a wrong e-mail, password or one-time code
    InsufficientCreditsError           402
    PermissionDeniedError              403
    NotFoundError                      404
    ArtifactExpiredError               410
    RateLimitError                     429
    ServerError                        5xx
  RequestFailedError                   the request ended as failed
  RequestCancelledError                the request ended as cancelled
  WaitTimeout (TimeoutError)           waiting ended first; the request goes on
  DownloadError                        a file arrived damaged or could not be saved
  UnsupportedError                     this server does not offer that verb
  WebhookVerificationError (ValueError)
"""

from collections.abc import Mapping
from typing import Any

from gmicloud._internal._json import as_list


class GmiError(Exception):
    """Something went wrong, in one sentence. Fields that do not apply are None."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        status_code: int | None = None,
        retryable: bool = False,
        detail: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        """The wire's word for it, such as invalid_payload or out_of_memory."""
        self.param = param
        """The first parameter at fault."""
        self.request_id = request_id
        self.status_code = status_code
        self.retryable = retryable
        """Whether the same call may succeed later."""
        self.detail = dict(detail or {})
        self.retry_after = retry_after
        """Seconds the server asks to be left alone."""


class ConfigurationError(GmiError, ValueError):
    """Credentials or settings are missing or malformed; no call was made."""


class APIConnectionError(GmiError):
    """No answer came. `sent` tells whether the server may have acted on the call."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message, code="connection", retryable=True)
        self.sent = sent


class APITimeoutError(APIConnectionError, TimeoutError):
    """No answer came in time."""


class TLSError(APIConnectionError):
    """The certificate or the handshake was refused; trying again does not help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)
        self.retryable = False


class BadAnswerError(GmiError):
    """The server answered with something the API does not promise, such as a web page."""


class APIStatusError(GmiError):
    """The server refused the call."""


class InvalidRequestError(APIStatusError, ValueError):
    """The call is wrong and was refused, by the server or before it was sent. `param` names the first bad field."""

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Every fault of the payload: param, code, message, allowed. Empty when the server gave none."""
        return as_list(self.detail.get("errors"))


class ContentPolicyError(InvalidRequestError):
    """The prompt or an input is against the service's content policy."""


class AuthenticationError(APIStatusError):
    """The API key, token, e-mail, password or one-time code was refused."""


class InsufficientCreditsError(APIStatusError):
    """The balance is below the quote; nothing was submitted."""


class PermissionDeniedError(APIStatusError):
    """The credential is good but may not do this."""


class NotFoundError(APIStatusError):
    """No such model, request or file in this organisation."""

    @property
    def suggestions(self) -> list[str]:
        """The nearest model ids, when a model was not found."""
        return [str(one) for one in as_list(self.detail.get("suggestions"))]


class ArtifactExpiredError(APIStatusError):
    """The artifact's time is over, or it was purged."""


class RateLimitError(APIStatusError):
    """Too many calls, or too many queued requests; see `retry_after`."""


class ServerError(APIStatusError):
    """The server failed (5xx)."""


class RequestEndedError(GmiError):
    """The request is final, but not a success. `record` is its full record."""

    def __init__(self, message: str, *, record: Any, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.record = record


class RequestFailedError(RequestEndedError):
    """The request ended as failed; `code` is its error_code."""


class RequestCancelledError(RequestEndedError):
    """The request ended as cancelled."""


class WaitTimeout(GmiError, TimeoutError):
    """The time to wait is over. The request goes on: wait again with the same `request_id`."""

    def __init__(self, request_id: str, waited: float, *, record: Any = None) -> None:
        status = f", last seen {record.status}" if record is not None else ""
        super().__init__(
            f"request {request_id} was not finished after {waited:g} s{status}; it goes on, wait for it again",
            code="wait_timeout",
            request_id=request_id,
            retryable=True,
        )
        self.record = record


class DownloadError(GmiError):
    """A file arrived incomplete or damaged, or could not be saved. Nothing was left at the target."""


class UnsupportedError(GmiError):
    """The server does not offer this verb."""


class WebhookVerificationError(GmiError, ValueError):
    """A webhook whose signature, time or form is wrong: do not trust it."""
