"""Operate, for the machine's owners: what waits, who works, which lanes are held, and the levers."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from rushes.playground import operate_view
from rushes.playground.code import Sample
from rushes.playground.page import Page
from rushes.playground.screens.organisation import fields
from rushes.playground.series_chart import series_chart

BASE = "/api/v1/operate"
QWORKER_ORDERS = ("pause", "resume", "drain")
LANE_ORDERS = ("hold", "resume")
EVENTS = 100


async def operate(page: Page) -> Response:
    """GET /operate."""
    overview = await _read(page, "overview")
    now = float(overview["at"])
    lanes: Sequence[Mapping[str, Any]] = (await _read(page, "lanes"))["lanes"]
    qworkers: Sequence[Mapping[str, Any]] = (await _read(page, "qworkers"))["qworkers"]
    queue = (await _read(page, "queue"))["queue"]
    return page.render(
        "operate/index.html",
        now=now,
        tiles=operate_view.tiles(overview),
        lanes=[(row, operate_view.lane(row, now)) for row in lanes],
        qworkers=[(row, operate_view.qworker(row)) for row in qworkers],
        queue=sorted(queue, key=lambda row: (-row["queued"], -row["running"], row["model"])),
        chart=series_chart((await _read(page, "series"))["points"]),
        events=(await _read(page, f"events?limit={EVENTS}"))["events"],
        samples=[
            Sample("curl", "curl", _curl(page, "overview"), "", "", "json"),
            Sample("python", "Command line", "rushes lanes\n", "", "", "json"),
        ],
    )


async def act(page: Page) -> Response:
    """POST /operate/{what}/{order}, from a form."""
    what, order = page.request.path_params["what"], page.request.path_params["order"]
    form = await fields(page)
    subject = quote(str(form.get("id", "")), safe="")
    if what == "qworkers" and order in QWORKER_ORDERS:
        await page.api.call("POST", f"{BASE}/qworkers/{subject}/{order}")
    elif what == "lanes" and order in LANE_ORDERS:
        reason = str(form.get("reason", "")).strip() or None
        query = {"reason": reason} if order == "hold" else {}
        await page.api.call("POST", f"{BASE}/lanes/{subject}/{order}", query=query)
    else:
        return page.missing()
    return page.redirect("/operate")


async def _read(page: Page, rest: str) -> Any:
    path, _, query = rest.partition("?")
    pairs = dict(pair.split("=", 1) for pair in query.split("&")) if query else {}
    return (await page.api.call("GET", f"{BASE}/{path}", query=pairs)).value


def _curl(page: Page, rest: str) -> str:
    return f'curl "{page.origin}{BASE}/{rest}" \\\n  -H "Authorization: Bearer $RUSHES_OPERATE_KEY"\n'
