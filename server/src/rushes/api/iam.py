"""People over HTTP: log in, refresh, log out, and who one is. Bodies and names are those of the published SDK."""

import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.accounts.guard import TooManyTries
from rushes.accounts.login import Pair
from rushes.api.answers import reply
from rushes.api.auth import acting_for, person
from rushes.api.body import json_object
from rushes.api.client_address import client_address
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.store.sessions import Membership, Session

NO_STORE = {"Cache-Control": "no-store"}
MAX_TEXT = 4096


async def auth_tokens(request: Request) -> Response:
    """POST /me/auth-tokens: e-mail and password for a login token."""
    services = services_of(request)
    body = await json_object(request)
    email, password = text_of(body, "email"), text_of(body, "password")
    try:
        first = await services.login.with_password(email, password, address_of(request, services))
    except TooManyTries as error:
        raise too_many(error) from error
    return reply({"authToken": first.auth_token, "is2FARequired": first.needs_code}, headers=NO_STORE)


async def verification_code(request: Request) -> Response:
    """POST /me/2fa-verification-code: nothing to send, authenticator apps make their codes themselves."""
    text_of(await json_object(request), "authToken")
    return reply({})


async def open_session(request: Request) -> Response:
    """POST /me/sessions: a login token, and a code where one is wanted, for a session."""
    services = services_of(request)
    body = await json_object(request)
    if body.get("type", "native") != "native":
        raise ApiError("invalid_request", "Invalid type, must be native", param="type")
    token = text_of(body, "authToken")
    code = None if body.get("otpCode") is None else text_of(body, "otpCode")
    client = request.headers.get("ce-clientid", "")[:64]
    try:
        pair = await services.login.open(token, code, client, address_of(request, services))
    except TooManyTries as error:
        raise too_many(error) from error
    return _tokens(pair)


async def refresh_session(request: Request) -> Response:
    """PATCH /me/sessions: a refresh token for new tokens."""
    token = text_of(await json_object(request), "refreshToken")
    return _tokens(await services_of(request).login.refresh(token))


async def close_session(request: Request) -> Response:
    """DELETE /me/sessions: log out, on every API process within a second."""
    session = await person(request)
    services = services_of(request)
    await services.sessions.end(session.session_id)
    services.session_cache.forget(str(session.session_id))
    return reply({})


async def profile(request: Request) -> Response:
    """GET /me/profile: the person, the organisation they act for, and all they belong to."""
    session = await person(request)
    wanted = request.headers.get("x-organization-id")
    place = acting_for(session, wanted) if session.memberships or wanted else None
    return reply(
        {
            "user": user_object(session),
            "organization": organization_object(place) if place else {"id": "", "role": "", "name": "", "limits": {}},
            "organizations": [organization_object(membership) for membership in session.memberships],
        },
        headers=NO_STORE,
    )


def user_object(session: Session) -> dict[str, Any]:
    """A person as the published SDK knows one."""
    return {
        "id": str(session.user_id),
        "email": session.email,
        "firstName": session.first_name,
        "lastName": session.last_name,
    }


def organization_object(place: Membership) -> dict[str, Any]:
    """An organisation as a person belongs to it."""
    return {"id": str(place.org_id), "role": place.role, "name": place.org_name, "limits": dict(place.limits)}


def _tokens(pair: Pair) -> Response:
    return reply({"accessToken": pair.access, "refreshToken": pair.refresh}, headers=NO_STORE)


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text that a body must have. Raises ApiError 400."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError("invalid_request", f"Missing {name}, must be a text", param=name)
    if len(value) > MAX_TEXT:
        raise ApiError("invalid_request", f"Invalid {name}, must have at most {MAX_TEXT} characters", param=name)
    return value


def address_of(request: Request, services: Services) -> str:
    """The address that guessing is counted against."""
    return client_address(request, services.settings.trusted_proxies)


def too_many(error: TooManyTries) -> ApiError:
    """429 with the seconds to wait."""
    wait = max(1, math.ceil(error.seconds))
    return ApiError(
        "rate_limited",
        f"Rate limit reached, too many failed logins. Try again in {wait} seconds",
        headers={"Retry-After": str(wait)},
    )
