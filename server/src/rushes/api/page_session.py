"""The web page's sign-in over HTTP: a cookie for a password, a key or a one-time link, who it stands for, sign-out."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.accounts.guard import TooManyTries
from rushes.accounts.keys import PREFIX
from rushes.accounts.page_cookie import set_cookie
from rushes.accounts.page_session import SignedIn
from rushes.api.answers import reply
from rushes.api.auth import (
    acting_for,
    key_operates,
    page_cookie_name,
    page_token,
    person_operates,
    require_own_page,
    signed_in_here,
)
from rushes.api.body import json_object
from rushes.api.iam import NO_STORE, address_of, organization_object, text_of, too_many, user_object
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError

WAYS = ("email", "authToken", "apiKey", "link")


async def sign_in(request: Request) -> Response:
    """POST /me/page-session: the cookie, for one of `email` with `password`, `authToken`, `apiKey`, `link`."""
    services = services_of(request)
    before = page_token(request, services)
    require_own_page(request, services, with_cookie=before is not None)
    name = page_cookie_name(request, services)
    if name is None:
        text = "The page signs in over https or on this machine itself: use --tls, or an https proxy and a public URL"
        raise ApiError("forbidden", text)
    body = await json_object(request)
    try:
        token = await _opened(body, services, address_of(request, services))
    except TooManyTries as error:
        raise too_many(error) from error
    if before is not None:
        await services.page.end(before)
    signed_in = await services.page.find(token)
    if signed_in is None:  # shut out between the two
        raise ApiError("unauthenticated", "You are signed out, please sign in again")
    cookie = set_cookie(name, token, int(services.page.life.total_seconds()))
    return reply(_shown(signed_in, None), headers={**NO_STORE, "Set-Cookie": cookie})


async def who(request: Request) -> Response:
    """GET /me/page-session: whom this browser's cookie stands for."""
    signed_in = await signed_in_here(request, services_of(request))
    if signed_in is None:
        raise ApiError("unauthenticated", "You are signed out, please sign in")
    return reply(_shown(signed_in, request.headers.get("x-organization-id")), headers=NO_STORE)


async def sign_out(request: Request) -> Response:
    """DELETE /me/page-session: the cookie ends everywhere within a second; without one there is nothing to end."""
    services = services_of(request)
    token, name = page_token(request, services), page_cookie_name(request, services)
    require_own_page(request, services, with_cookie=token is not None)
    if token is not None:
        await services.page.end(token)
    return reply({}, headers={**NO_STORE, **({"Set-Cookie": set_cookie(name, "", 0)} if name else {})})


async def _opened(body: Mapping[str, Any], services: Services, address: str) -> str:
    given = [way for way in WAYS if body.get(way) is not None]
    if len(given) != 1:
        raise ApiError("invalid_request", f"Give one of {', '.join(WAYS)}", param=given[0] if given else "email")
    code = None if body.get("otpCode") is None else text_of(body, "otpCode")
    match given[0]:
        case "email":
            return await services.page.with_password(text_of(body, "email"), text_of(body, "password"), code, address)
        case "authToken":
            return await services.page.with_token(text_of(body, "authToken"), code, address)
        case "apiKey":
            return await services.page.with_key(text_of(body, "apiKey").strip(), address)
        case _:
            return await services.page.with_link(text_of(body, "link").strip(), address)


def _shown(signed_in: SignedIn, wanted: str | None) -> dict[str, Any]:
    times = {"since": int(signed_in.since.timestamp()), "until": int(signed_in.until.timestamp())}
    person, key = signed_in.person, signed_in.key
    if key is not None:
        organization = {"id": str(key.org_id), "role": "member", "name": key.org_name, "limits": dict(key.limits)}
        shown = {
            "id": key.key_id,
            "name": key.name,
            "partialKey": f"{PREFIX}{key.key_id}...",
            "scope": " ".join(key.scopes),
        }
        return {
            "by": "key",
            "user": None,
            "key": shown,
            "organization": organization,
            "organizations": [organization],
            "operator": key_operates(key),
            **times,
        }
    assert person is not None
    place = acting_for(person, wanted) if person.memberships or wanted else None
    return {
        "by": "person",
        "user": user_object(person),
        "key": None,
        "organization": organization_object(place) if place else {"id": "", "role": "", "name": "", "limits": {}},
        "organizations": [organization_object(each) for each in person.memberships],
        "operator": person_operates(person),
        **times,
    }
