"""Sign in: e-mail and password, a pasted key, or the one-time link of `rushes up`; and sign out."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from rushes.playground.page import Page
from rushes.playground.public_api import Answer, Refused
from rushes.playground.screens.home import local_path

PEOPLE = "/api/v1/me"
PAGE_SESSION = f"{PEOPLE}/page-session"


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
            return _form(page, token=given["code"], wanted=said.get("next", ""))
        answer = await _call(page, PAGE_SESSION, given)
    except Refused as error:
        return _form(page, error=error, email=said.get("email", ""), wanted=said.get("next", ""))
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
    page: Page, *, error: Refused | None = None, email: str = "", link: str = "", token: str = "", wanted: str = ""
) -> Response:
    answer = page.render(
        "sign_in.html",
        error.status if error else 200,
        error=error,
        email=email,
        link=link,
        token=token,
        wanted=local_path(wanted or page.query("next") or "/"),
    )
    answer.headers["Cache-Control"] = "no-store"
    if error and error.retry_after:
        answer.headers["Retry-After"] = error.retry_after
    return answer
