"""What an organisation used and was charged, over HTTP: as JSON, or as a table for a spreadsheet."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import Caller, authenticate
from rushes.api.limits import limited
from rushes.api.query import moment, text_list
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.store.database import Row

GROUPS = ("day", "model", "key")
DEFAULT_SPAN = timedelta(days=30)
EPOCH = datetime.fromtimestamp(0, UTC)
_NAMES = {"day": "day", "model": "model", "key": "key_id"}
_SUMS = ("requests", "seconds", "run_seconds", "charge_micro_usd")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked: the groups, and the span, its end not included."""

    by: tuple[str, ...]
    since: datetime
    until: datetime


async def usage(request: Request) -> Response:
    """GET usage: successful requests, seconds of video and charges by day (UTC), model or key, and the balance."""
    services = services_of(request)
    caller = await authenticate(request)
    headers = await limited(request, caller, "poll")
    wanted = _wanted(request, "by")
    rows = await services.usage.added_up(caller.org_id, wanted.by, wanted.since, wanted.until)
    return reply({**_table(wanted, rows), **await _balance(services, caller)}, headers=headers)


async def of_organization(request: Request) -> Response:
    """GET organizations/{org}/usage?group_by=day,model,key; ?format=csv, or Accept: text/csv, gives a table."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"])
    headers = await limited(request, caller, "poll")
    wanted = _wanted(request, "group_by")
    form = request.query_params.get("format") or ("csv" if _wants_csv(request) else "json")
    if form not in ("json", "csv"):
        raise ApiError("invalid_request", "Invalid format, must be json or csv", param="format")
    rows = await services.usage.added_up(caller.org_id, wanted.by, wanted.since, wanted.until)
    if form == "csv":
        return _as_csv(wanted, rows, headers)
    return reply({**_table(wanted, rows), **await _balance(services, caller)}, headers=headers)


async def balance(request: Request) -> Response:
    """GET organizations/{org}/balance: what may still be spent (null: unlimited), and what unfinished requests hold."""
    services = services_of(request)
    caller = await authenticate(request, org=request.path_params["org_id"])
    return reply(await _balance(services, caller), headers=await limited(request, caller, "poll"))


def _wanted(request: Request, name: str) -> Wanted:
    by = text_list(request, name) or ("day",)
    if not all(group in GROUPS for group in by):
        raise ApiError("invalid_request", f"Invalid {name}, must be among {', '.join(GROUPS)}", param=name)
    until = moment(request, "until") or datetime.now(UTC)
    since = moment(request, "since") or max(until, EPOCH + DEFAULT_SPAN) - DEFAULT_SPAN
    if since >= until:
        raise ApiError("invalid_request", "Invalid since, must be before until", param="since")
    return Wanted(by, since, until)


def _wants_csv(request: Request) -> bool:
    return request.headers.get("accept", "").split(",")[0].split(";")[0].strip() == "text/csv"


def _table(wanted: Wanted, rows: list[Row]) -> dict[str, Any]:
    return {
        "by": list(wanted.by),
        "since": int(wanted.since.timestamp()),
        "until": int(wanted.until.timestamp()),
        "rows": [{**{_NAMES[name]: row[_NAMES[name]] for name in wanted.by}, **_sums(row)} for row in rows],
        "total": {name: sum(_sums(row)[name] for row in rows) for name in _SUMS},
    }


async def _balance(services: Services, caller: Caller) -> dict[str, Any]:
    organisation = await services.accounts.organisation(caller.org_id)
    assert organisation is not None, "a caller's organisation is never deleted"
    balance, held = organisation["balance_micro"], organisation["held_micro"]
    return {
        "balance_micro_usd": balance,
        "held_micro_usd": held,
        "free_micro_usd": None if balance is None else balance - held,
    }


def _as_csv(wanted: Wanted, rows: list[Row], headers: dict[str, str]) -> Response:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    names = [_NAMES[name] for name in wanted.by]
    table.writerow([*names, *_SUMS])
    for row in rows:
        table.writerow([*(_cell(row[name]) for name in names), *_sums(row).values()])
    about = {"Content-Disposition": 'attachment; filename="usage.csv"', "Content-Type": "text/csv; charset=utf-8"}
    return Response(out.getvalue().encode(), headers={**headers, **about})


def _cell(value: str | None) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _sums(row: Row) -> dict[str, Any]:
    return {
        "requests": row["requests"],
        "seconds": round(row["seconds"], 3),
        "run_seconds": round(row["run_seconds"], 3),
        "charge_micro_usd": row["charge_micro"],
    }
