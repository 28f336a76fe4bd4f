"""Two requests beside each other: their films under one play head, and the parameters that differ."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.responses import Response

from rushes.playground import code
from rushes.playground.page import Page
from rushes.playground.public_api import Answer, Refused
from rushes.playground.view import request_view

FACTS: Final = {
    "model": "Model",
    "engine": "Engine",
    "seed": "Seed",
    "ran": "Made in",
    "cost": "Cost",
    "label": "Status",
}
"""What may differ beside the parameters: names of the view, in words."""


async def compare(page: Page) -> Response:
    """GET /compare?a=ID&b=ID."""
    records = [await _request(page, name) for name in ("a", "b")]
    views = [request_view(record, page.now) for record in records]
    path = f"/requests/{records[0]['request_id']}"
    return page.render(
        "requests/compare.html",
        views=views,
        rows=_differing(records, views),
        samples=code.get_samples(
            page.origin,
            path,
            "\n    ".join(f'print(client.video_manager.get_request_detail("{v["id"]}"))' for v in views),
        ),
    )


async def _request(page: Page, name: str) -> Mapping[str, Any]:
    """The record of the request that the address names as `name`. Raises Refused."""
    request_id = page.query(name)
    if not request_id:
        text = f"Invalid {name}: two requests are named, as in /compare?a=ID&b=ID"
        raise Refused(Answer(400, {}, orjson.dumps({"code": "invalid_request", "error": text, "param": name})))
    return await page.api.get(f"/requests/{quote(request_id, safe='')}", cleaned=1)


def _differing(records: list[Mapping[str, Any]], views: list[dict[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Each parameter that was not the same for both, with what was used (None where it is not there), then facts."""
    used: list[dict[str, Any]] = [{**each["payload"], **(each.get("cleaned_payload") or {})} for each in records]
    rows = [(name, [each.get(name) for each in used]) for name in dict.fromkeys([*used[0], *used[1]])]
    # A seed that was asked for is a parameter and a fact.
    told = [[str(value) for value in pair] for _, pair in rows]
    rows += [(words, pair) for name, words in FACTS.items() if (pair := [view[name] for view in views]) not in told]
    return [(name, pair) for name, pair in rows if pair[0] != pair[1]]
