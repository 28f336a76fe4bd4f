"""The optional keys of a submit, beside model and payload."""

from collections.abc import Mapping
from typing import Any, cast

import orjson

from rushes.domain.errors import ApiError
from rushes.egress import Egress, EgressRefused
from rushes.queue.catcher import Catcher
from rushes.queue.submit import Options

FINAL_EVENTS = ("request.success", "request.failed", "request.cancelled")
EVENTS = (*FINAL_EVENTS, "request.queued", "request.dispatched", "request.processing")
MAX_METADATA = 4096
MAX_PRIORITY = 100
MAX_EXPIRES_AFTER = 10 * 365 * 86_400


def read_options(body: Mapping[str, Any], egress: Egress, catcher: Catcher, max_priority: int | None) -> Options:
    """Raises ApiError 400 that names the key."""
    return Options(
        webhook_url=_webhook_url(body.get("webhook_url"), egress, catcher),
        webhook_events=_webhook_events(body.get("webhook_events")),
        metadata=_metadata(body.get("metadata")),
        priority=_whole(body, "priority", -MAX_PRIORITY, MAX_PRIORITY if max_priority is None else max_priority) or 0,
        expires_after=_whole(body, "expires_after", 60, MAX_EXPIRES_AFTER),
    )


def webhook_address(value: Any, name: str, egress: Egress, catcher: Catcher) -> str:
    """An address that webhooks may go to, as far as can be said before it is dialled. Raises ApiError 400."""
    if not isinstance(value, str):
        raise _bad(name, "must be a URL")
    if catcher.token_in(value) is None:
        try:
            egress.check_url(value)
        except EgressRefused as error:
            raise _bad(name, f"cannot be used ({error})") from error
    return value


def _webhook_url(value: Any, egress: Egress, catcher: Catcher) -> str | None:
    return None if value is None or value == "" else webhook_address(value, "webhook_url", egress, catcher)


def _webhook_events(value: Any) -> list[str]:
    if value is None:
        return list(FINAL_EVENTS)
    events = cast(list[Any], value)
    if not isinstance(value, list) or not all(event in EVENTS for event in events):
        raise _bad("webhook_events", f"must be a list of {', '.join(EVENTS)}")
    return [*dict.fromkeys([*FINAL_EVENTS, *events])]


def _metadata(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _bad("metadata", "must be an object")
    if len(orjson.dumps(value)) > MAX_METADATA:
        raise _bad("metadata", f"must be at most {MAX_METADATA} bytes of JSON")
    return cast(dict[str, Any], value)


def _whole(body: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _bad(name, f"must be a whole number from {low} to {high}")
    return value


def _bad(name: str, rule: str) -> ApiError:
    return ApiError("invalid_request", f"Invalid {name}, {rule}", param=name)
