"""API keys: made here and shown once, listed, revoked by name."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from rushes.playground.calls import call_samples
from rushes.playground.page import Page
from rushes.playground.public_api import Refused
from rushes.playground.screens.organisation import fields, read_or_none, send

LIVES = {"": "never", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}
DAY = 86_400


async def listing(page: Page) -> Response:
    """GET /keys; ?revoke=ID asks for the name of that one."""
    return await _shown(page)


async def act(page: Page) -> Response:
    """POST /keys/create and /keys/revoke, from a form. A new key is in the answer to the form and nowhere else."""
    form = await fields(page)
    said = {name: str(value) for name, value in form.items()}
    try:
        match page.request.path_params["action"]:
            case "create":
                return await _shown(page, made=await _created(page, said))
            case "revoke":
                return await _revoked(page, said)
            case _:
                return page.missing()
    except Refused as error:
        if error.status == 401:
            raise
        return await _shown(page, error=error, said=said)


async def _created(page: Page, said: Mapping[str, str]) -> Any:
    days = said.get("life", "")
    expires = int(time.time()) + int(days) * DAY if days in LIVES and days else 0
    body = {"name": said.get("name", ""), "type": "", "scope": "ie_model", "expiresAt": expires}
    return await send(page, "POST", "api-keys", body)


async def _revoked(page: Page, said: Mapping[str, str]) -> Response:
    """Only with the name typed, because what used the key stops at once."""
    key_id = said.get("id", "")
    row = next((each for each in await _keys(page) or [] if each["id"] == key_id), None)
    if row is None:
        return page.redirect("/keys")
    if said.get("name", "").strip() != row["name"]:
        return page.redirect(f"/keys?revoke={quote(key_id, safe='')}&name=wrong#revoke")
    await send(page, "DELETE", f"api-keys/{quote(key_id, safe='')}")
    return page.redirect("/keys")


async def _keys(page: Page) -> list[dict[str, Any]] | None:
    """The organisation's keys, newest first; None for a visitor who is a key."""
    told: dict[str, list[dict[str, Any]]] | None = await read_or_none(page, "api-keys", 403)
    return None if told is None else told["keys"][::-1]


async def _shown(
    page: Page,
    *,
    made: Mapping[str, Any] | None = None,
    error: Refused | None = None,
    said: Mapping[str, str] | None = None,
) -> Response:
    keys = await _keys(page)
    wanted = page.query("revoke")
    answer = page.render(
        "keys/index.html",
        error.status if error else 200,
        keys=keys,
        made=made,
        error=error,
        said=said or {},
        lives=LIVES,
        revoking=next((each for each in keys or [] if each["id"] == wanted), None),
        samples=call_samples(page, "api-keys"),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
