"""Where a film came from and what went on from it: the chain that metadata.made_from tells."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from rushes.playground.page import Page
from rushes.playground.public_api import Refused
from rushes.playground.view import request_view

MADE_FROM: Final = "made_from"
"""The key of the metadata under which the page keeps the request whose frame begins a film; static/elements/form.js
writes it."""
MOST: Final = 8


async def lineage(page: Page, record: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The views of a request's forebears, oldest first, and of those that went on from it; at most eight of each."""
    before: list[dict[str, Any]] = []
    seen = {record["request_id"]}
    parent = await _parent(page, record)
    while parent is not None and parent["request_id"] not in seen and len(before) < MOST:
        seen.add(parent["request_id"])
        before.insert(0, request_view(parent, page.now))
        parent = await _parent(page, parent)
    query = {f"metadata.{MADE_FROM}": record["request_id"], "created_after": record["created_at"], "limit": MOST}
    after = (await page.api.get("/requests", **query))["requests"]
    return before, [request_view(each, page.now) for each in reversed(after)]


async def _parent(page: Page, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The request a film was begun from; None where metadata, which anybody may write, names none of ours."""
    metadata: Mapping[str, Any] = record.get("metadata") or {}
    named = metadata.get(MADE_FROM)
    try:
        return await page.api.get(f"/requests/{UUID(str(named))}")
    except ValueError:
        return None
    except Refused as error:
        if error.status == 404:
            return None
        raise
