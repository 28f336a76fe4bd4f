"""How long an organisation keeps inputs, artifacts and records: three clocks, never longer than the server's."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import acting_for, authenticate, person
from rushes.api.body import json_object
from rushes.api.services import Services, services_of
from rushes.config import Settings
from rushes.domain.errors import ApiError
from rushes.store.database import Row

DAY = 86_400
CLOCKS = ("artifact_days", "file_days", "record_days")
LEAST = 60 / DAY
"""A minute: a shorter clock would take a video away before anybody could fetch it."""


async def show(request: Request) -> Response:
    """GET retention: in force, the organisation's own (null: none), and the server's."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"])
    row = await services.accounts.organisation(caller.org_id)
    assert row is not None, "a caller's organisation is never deleted"
    return reply(_shown(services, row))


async def change(request: Request) -> Response:
    """PATCH retention, by an owner: days, or null for the server's; what is not named stays."""
    services = services_of(request)
    place = acting_for(await person(request), request.path_params["org_id"])
    if place.role != "owner":
        raise ApiError("forbidden", "Only an owner changes how long things are kept")
    body = await json_object(request)
    unknown = next((name for name in body if name not in CLOCKS), None)
    if unknown is not None:
        raise ApiError("invalid_request", f"Unknown {unknown}, there are {', '.join(CLOCKS)}", param=unknown)
    row = await services.accounts.organisation(place.org_id)
    assert row is not None, "a caller's organisation is never deleted"
    wanted = {name: _days(body, name, services.settings) if name in body else _own(row, name) for name in CLOCKS}
    seconds = {name: None if days is None else max(1, round(days * DAY)) for name, days in wanted.items()}
    changed = await services.accounts.set_retention(
        place.org_id,
        artifact_seconds=seconds["artifact_days"],
        file_seconds=seconds["file_days"],
        record_seconds=seconds["record_days"],
    )
    return reply(_shown(services, changed))


def _days(body: dict[str, Any], name: str, settings: Settings) -> float | None:
    value, most = body[name], getattr(settings, name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not LEAST <= value <= most:
        rule = f"must be a number of days up to {most:g}, the server's, or null for that"
        raise ApiError("invalid_request", f"Invalid {name}, {rule}", param=name)
    return float(value)


def _own(row: Row, name: str) -> float | None:
    seconds: int | None = row[name.replace("days", "seconds")]
    return None if seconds is None else seconds / DAY


def _shown(services: Services, row: Row) -> dict[str, Any]:
    server = {name: getattr(services.settings, name) for name in CLOCKS}
    own = {name: _own(row, name) for name in CLOCKS}
    in_force = {name: min(server[name], days) if (days := own[name]) is not None else server[name] for name in CLOCKS}
    return {**in_force, "own": own, "server": server}
