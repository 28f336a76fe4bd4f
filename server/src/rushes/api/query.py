"""Query values, read leniently where that is safe and refused with the parameter's name where it is not."""

import re
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from starlette.datastructures import QueryParams

from rushes.domain.errors import ApiError

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Query(Protocol):
    """Whatever has query values: an HTTP request."""

    @property
    def query_params(self) -> QueryParams: ...


def number(request: Query, name: str, default: int, *, low: int, high: int, clamp: bool = False) -> int:
    """A whole number between two bounds. With `clamp` a larger one counts as the bound. Raises ApiError 400."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise ApiError("invalid_request", f"Invalid {name}, must be a whole number from {low} to {high}", param=name)
    value = int(text)
    if clamp and value > high:
        return high
    if not low <= value <= high:
        raise ApiError("invalid_request", f"Invalid {name}, must be a whole number from {low} to {high}", param=name)
    return value


def flag(request: Query, name: str) -> bool:
    """?name=1, true or yes."""
    return request.query_params.get(name, "").lower() in ("1", "true", "yes", "on")


def text_list(request: Query, name: str) -> tuple[str, ...]:
    """Every value of a repeatable key; commas separate, too."""
    values = [part.strip() for value in request.query_params.getlist(name) for part in value.split(",")]
    return tuple(value for value in values if value)


def moment(request: Query, name: str) -> datetime | None:
    """Unix seconds or an ISO 8601 time. Raises ApiError 400."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise ApiError(
            "invalid_request", f"Invalid {name}, must be unix seconds or an ISO 8601 time", param=name
        ) from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def uuid_of(text: str) -> UUID | None:
    """An id as we write them; None for any other text."""
    return UUID(text) if _UUID.fullmatch(text) else None
