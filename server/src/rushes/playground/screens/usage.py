"""Usage: what a month cost, by day and model, and by key."""

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.responses import Response

from rushes.playground.calls import call_samples
from rushes.playground.page import Page
from rushes.playground.public_api import Answer
from rushes.playground.screens.organisation import read, read_or_none, under
from rushes.playground.usage_chart import usage_chart

MONTHS = 12


async def usage(page: Page) -> Response:
    """GET /usage?month=YYYY-MM: this month unless another is named; days are those of UTC."""
    today = datetime.fromtimestamp(page.now, UTC).date()
    month = _month(page.query("month"), today)
    first, last = month, month.replace(day=calendar.monthrange(month.year, month.month)[1])
    span: dict[str, Any] = {"since": first.isoformat(), "until": (last + timedelta(days=1)).isoformat()}
    by_day = await read(page, "usage", group_by="day,model", **span)
    by_key = await read(page, "usage", group_by="model,key", **span)
    told: dict[str, list[dict[str, str]]] | None = await read_or_none(page, "api-keys", 403)
    names = {each["id"]: each["name"] for each in told["keys"]} if told else {}
    rows = sorted(by_key["rows"], key=lambda row: -row["charge_micro_usd"])
    return page.render(
        "usage/index.html",
        month=month,
        months=_months(today),
        total=by_day["total"],
        balance=by_day,
        chart=usage_chart(by_day["rows"], first, min(last, today) if month <= today else last),
        rows=[{**row, "key_name": names.get(row["key_id"], row["key_id"] or "by people")} for row in rows],
        csv=f"/usage.csv?month={month:%Y-%m}",
        samples=call_samples(page, f"usage?group_by=day,model,key&since={span['since']}&until={span['until']}"),
    )


async def table(page: Page) -> Response:
    """GET /usage.csv?month=YYYY-MM: the same as a table, as the API gives it."""
    today = datetime.fromtimestamp(page.now, UTC).date()
    month = _month(page.query("month"), today)
    after = month.replace(day=calendar.monthrange(month.year, month.month)[1]) + timedelta(days=1)
    query = {"group_by": "day,model,key", "format": "csv", "since": month.isoformat(), "until": after.isoformat()}
    answer: Answer = await page.api.call("GET", under(page, "usage"), query=query)
    about = {"Content-Disposition": f'attachment; filename="usage-{month:%Y-%m}.csv"', "Cache-Control": "no-store"}
    return Response(answer.body, media_type="text/csv; charset=utf-8", headers=about)


def _month(text: str, today: date) -> date:
    """The first day of a month written as YYYY-MM; this month for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        return today.replace(day=1)


def _months(today: date) -> list[date]:
    """The last months to choose from, this one first."""
    found = [today.replace(day=1)]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
