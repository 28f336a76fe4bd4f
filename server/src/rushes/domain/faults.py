"""Failures ordered by a payload, so that users can test their error handling: the key `rushes_fault` (WIRE.md 5.11).

{"http": 429} refuses the submit, {"fail": code, "at": progress} ends the request so, {"stall": seconds} delays it,
{"lose_worker": true} kills one attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from rushes.domain.errors import FAILURES, HTTP_ERRORS, InvalidPayload, ParameterFault

KEY = "rushes_fault"
MAX_STALL = 600
# The row of the table that stands for a bare HTTP status.
_BY_STATUS = {
    400: "invalid_request",
    401: "unauthenticated",
    402: "insufficient_credits",
    403: "forbidden",
    404: "model_not_found",
    413: "body_too_large",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class OrderedFault:
    """One ordered failure."""

    http: str | None = None
    """A code of HTTP_ERRORS."""
    fail: str | None = None
    """A code of FAILURES."""
    at: int = 0
    """The progress at which it fails, 0 to 99."""
    stall: float = 0.0
    lose_worker: bool = False

    @property
    def http_text(self) -> str:
        return HTTP_ERRORS[self.http].text if self.http else ""

    def as_json(self) -> dict[str, Any]:
        return {"fail": self.fail, "at": self.at, "stall": self.stall, "lose_worker": self.lose_worker}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(fail=data["fail"], at=data["at"], stall=data["stall"], lose_worker=data["lose_worker"])


def ordered_fault(payload: Mapping[str, Any]) -> tuple[OrderedFault | None, Mapping[str, Any]]:
    """The failure a payload orders, and the payload without it. Raises InvalidPayload for an order we cannot obey."""
    if KEY not in payload:
        return None, payload
    rest = {name: value for name, value in payload.items() if name != KEY}
    order = payload[KEY]
    if not isinstance(order, dict):
        raise _invalid('Must be an object such as {"fail": "engine_lost", "at": 50}')
    return _read(cast(dict[str, Any], order)), rest


def _read(order: dict[str, Any]) -> OrderedFault:
    unknown = set(order) - {"http", "fail", "at", "stall", "lose_worker"}
    if unknown:
        raise _invalid(f"Knows http, fail, at, stall and lose_worker, not {', '.join(sorted(unknown))}")
    http, fail, at, stall = order.get("http"), order.get("fail"), order.get("at", 0), order.get("stall", 0)
    if http is not None:
        http = _BY_STATUS.get(http) if isinstance(http, int) else http
        if http not in HTTP_ERRORS:
            raise _invalid(f"http must be one of {', '.join(map(str, _BY_STATUS))} or an error code")
    if fail is not None and fail not in FAILURES:
        raise _invalid(f"fail must be one of {', '.join(FAILURES)}")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= 99:
        raise _invalid("at must be a whole number from 0 to 99")
    if not isinstance(stall, int | float) or isinstance(stall, bool) or not 0 <= stall <= MAX_STALL:
        raise _invalid(f"stall must be 0 to {MAX_STALL} seconds")
    return OrderedFault(http=http, fail=fail, at=at, stall=float(stall), lose_worker=order.get("lose_worker") is True)


def _invalid(message: str) -> InvalidPayload:
    return InvalidPayload([ParameterFault(KEY, "format", message)])
