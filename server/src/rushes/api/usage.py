"""What an organisation used and was charged, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import authenticate
from rushes.api.limits import limited
from rushes.api.query import moment, text_list
from rushes.api.services import services_of
from rushes.domain.errors import ApiError
from rushes.store.database import Row

GROUPS = ("day", "model", "key")
DEFAULT_SPAN = timedelta(days=30)
EPOCH = datetime.fromtimestamp(0, UTC)


async def usage(request: Request) -> Response:
    """GET usage: successful requests, seconds of video and charges by day (UTC), model or key, and the balance."""
    services = services_of(request)
    caller = await authenticate(request)
    headers = await limited(request, caller, "poll")
    by = text_list(request, "by") or ("day",)
    if not all(name in GROUPS for name in by):
        raise ApiError("invalid_request", f"Invalid by, must be among {', '.join(GROUPS)}", param="by")
    until = moment(request, "until") or datetime.now(UTC)
    since = moment(request, "since") or max(until, EPOCH + DEFAULT_SPAN) - DEFAULT_SPAN
    if since >= until:
        raise ApiError("invalid_request", "Invalid since, must be before until", param="since")
    rows = await services.usage.added_up(caller.org_id, by, since, until)
    organisation = await services.accounts.organisation(caller.org_id)
    assert organisation is not None, "a caller's organisation is never deleted"
    return reply(
        {
            "by": list(by),
            "since": int(since.timestamp()),
            "until": int(until.timestamp()),
            "rows": [{**{_NAMES[name]: row[_NAMES[name]] for name in by}, **_sums(row)} for row in rows],
            "total": {name: sum(_sums(row)[name] for row in rows) for name in _SUMS},
            "balance_micro_usd": organisation["balance_micro"],
            "held_micro_usd": organisation["held_micro"],
        },
        headers=headers,
    )


_NAMES = {"day": "day", "model": "model", "key": "key_id"}
_SUMS = ("requests", "seconds", "run_seconds", "charge_micro_usd")


def _sums(row: Row) -> dict[str, Any]:
    return {
        "requests": row["requests"],
        "seconds": round(row["seconds"], 3),
        "run_seconds": round(row["run_seconds"], 3),
        "charge_micro_usd": row["charge_micro"],
    }
