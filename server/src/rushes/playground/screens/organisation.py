"""What the screens about an organisation share: its part of the API, and the fields of their forms."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import FormData

from rushes.playground.page import Page
from rushes.playground.public_api import Refused


def under(page: Page, rest: str) -> str:
    """A path below the visitor's organisation."""
    assert page.visitor is not None, "these screens are for those who have signed in"
    return f"/api/v1/organizations/{page.visitor.org_id}/{rest}"


async def read(page: Page, rest: str, **query: Any) -> Any:
    """The JSON answer to a GET below the organisation. Raises Refused."""
    return (await page.api.call("GET", under(page, rest), query=query)).value


async def send(page: Page, method: str, rest: str, body: Mapping[str, Any] | None = None) -> Any:
    """The JSON answer to a call that changes something. Raises Refused."""
    sent = orjson.dumps(dict(body)) if body is not None else b""
    return (await page.api.call(method, under(page, rest), body=sent)).value


async def read_or_none(page: Page, rest: str, *statuses: int) -> Any:
    """The answer, or None where the API refuses with one of these: what a key may not see, what was never made."""
    try:
        return await read(page, rest)
    except Refused as error:
        if error.status in statuses:
            return None
        raise


async def fields(page: Page) -> FormData:
    """A form of texts; what is longer or more than any form of ours is refused by the reader."""
    return await page.request.form(max_files=0, max_fields=40, max_part_size=20_000)
