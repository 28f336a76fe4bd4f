"""Sign in: e-mail and password, a pasted key, or the one-time link of `rushes up`; and sign out."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from rushes.playground.page import Page
from rushes.playground.public_api import Answer, Refused
from rushes.playground.screens.home import local_path
from rushes.playground.screens.models import still_of

PEOPLE = "/api/v1/me"
PAGE_SESSION = f"{PEOPLE}/page-session"
SHOWN = (
    "wan2.7-t2v",
    "Veo3",
    "Wan-AI_Wan2.2-T2V-A14B",
    "kling-v3-text-to-video",
    "seedance-2-0-260128",
    "LTX-2",
    "sora-2-pro",
    "hunyuanvideo",
    "Luma-Ray2",
    "skyreels-v4-text-to-video",
    "Minimax-Hailuo-2.3-Fast",
    "pixverse-v5.6-i2v",
)
"""Models whose stills are the contact sheet beside the form."""


async def form(page: Page) -> Response:
    """GET /sign-in. A link asks for a click, so that programs which look at links do not use it up."""
    return _form(page, link=page.query("link"))


async def sign_in(page: Page) -> Response:
    """POST /sign-in: the cookie, and on to the page that was wanted; or the form again with one sentence."""
    sent = await page.request.form(max_files=0, max_fields=10)
    said = {name: str(value) for name, value in sent.items()}
    try:
        given = await _credential(page, said)
        if "code" in given:
            return _form(page, token=given["code"], said=said)
        answer = await _call(page, PAGE_SESSION, given)
    except Refused as error:
        # A code may be typed wrongly; whoever has given the password does not have to do so again.
        again = said.get("token", "") if error.code in ("invalid_otp", "rate_limited") else ""
        return _form(page, error=error, token=again, said=said)
    response = page.redirect(local_path(said.get("next") or "/"))
    response.headers["Set-Cookie"] = answer.headers["set-cookie"]
    return response


async def sign_out(page: Page) -> Response:
    """POST /sign-out."""
    answer = await page.api.call("DELETE", PAGE_SESSION)
    response = page.redirect("/sign-in")
    if "set-cookie" in answer.headers:
        response.headers["Set-Cookie"] = answer.headers["set-cookie"]
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def _credential(page: Page, said: Mapping[str, str]) -> dict[str, Any]:
    """What POST /me/page-session wants; {"code": token} where a code has to be asked for first. Raises Refused."""
    if said.get("link"):
        return {"link": said["link"]}
    if said.get("key"):
        return {"apiKey": said["key"]}
    if said.get("token"):
        return {"authToken": said["token"], "otpCode": said.get("otp", "")}
    first = await _call(page, f"{PEOPLE}/auth-tokens", {"email": said.get("email"), "password": said.get("password")})
    token = first.value["authToken"]
    return {"code": token} if first.value["is2FARequired"] else {"authToken": token}


async def _call(page: Page, path: str, body: Mapping[str, Any]) -> Answer:
    return await page.api.call("POST", path, body=orjson.dumps(body))


def _form(
    page: Page, *, error: Refused | None = None, link: str = "", token: str = "", said: Mapping[str, str] | None = None
) -> Response:
    given = said or {}
    answer = page.render(
        "sign_in.html",
        error.status if error else 200,
        error=error,
        said=page.fault(error) if error else None,
        email=given.get("email", ""),
        by_key=bool(given.get("key")),
        link=link,
        token=token,
        wanted=local_path(given.get("next") or page.query("next") or "/"),
        stills=[still_of(model) for model in SHOWN],
    )
    answer.headers["Cache-Control"] = "no-store"
    if error and error.retry_after:
        answer.headers["Retry-After"] = error.retry_after
    return answer
