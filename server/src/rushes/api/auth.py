"""Who is calling: an API key (`Bearer` or `Key`), or a person, by access token, acting for one organisation.

A credential in the header counts alone. Without one the cookie of the web page stands for a person or a key, but only
in calls that come from our own page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request

from rushes.accounts.keys import OPERATE, PREFIX
from rushes.accounts.page_cookie import cookie_name
from rushes.accounts.page_session import SignedIn
from rushes.accounts.same_origin import is_from_own_page
from rushes.api.query import uuid_of
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.store.accounts import KeyRow
from rushes.store.sessions import Membership, Session


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose credential was good. `org_id` is the only organisation this call may see."""

    org_id: UUID
    key_id: str | None = None
    user_id: UUID | None = None
    role: str = "member"
    """owner, member or viewer; keys act as members."""
    limits: tuple[tuple[str, int], ...] = ()

    def limit(self, name: str) -> int | None:
        return dict(self.limits).get(name)


def credential(request: Request, services: Services) -> str | None:
    """The credential as sent, whatever the scheme."""
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() in ("bearer", "key") and value.strip():
        return value.strip()
    if services.settings.key_in_query:
        return request.query_params.get("key")
    return None


async def authenticate(
    request: Request, *, scope: str = "ie_model", write: bool = False, org: str | None = None
) -> Caller:
    """The caller of a request-queue route, or of a route under the organisation `org`.

    Raises ApiError 401 for any bad credential, 403 for scope or role, 404 for an organisation that is not theirs.
    """
    services = services_of(request)
    value = credential(request, services)
    if value is None:
        signed_in = await signed_in_here(request, services)
        if signed_in is None:
            raise ApiError("unauthenticated", "Missing API key, send Authorization Bearer with your key")
        if signed_in.key is not None:
            return _caller(signed_in.key, scope, org)
        session = _holding(signed_in.person)
    elif value.startswith(PREFIX):
        return _caller(await services.keys.find(value), scope, org)
    else:
        session = await _session(value, services)
    place = acting_for(session, request.headers.get("x-organization-id") if org is None else org)
    if write:
        require_writer(place)
    return Caller(org_id=place.org_id, user_id=session.user_id, role=place.role, limits=_numbers(place.limits))


async def still_allowed(request: Request, org_id: UUID) -> bool:
    """Whether the credential of a call that is still being answered holds, and for the same organisation."""
    try:
        return (await authenticate(request)).org_id == org_id
    except ApiError:
        return False


async def person(request: Request) -> Session:
    """The person of a route that keys may not use. Raises ApiError 403 for a key, 401 for any bad credential."""
    services = services_of(request)
    value = credential(request, services)
    if value is None:
        signed_in = await signed_in_here(request, services)
        if signed_in is None:
            raise ApiError("unauthenticated", "Missing access token, log in first")
        if signed_in.key is None:
            return _holding(signed_in.person)
    elif not value.startswith(PREFIX):
        return await _session(value, services)
    elif await services.keys.find(value) is None:
        raise _invalid()
    raise ApiError("forbidden", "An API key cannot be used here, log in with e-mail and password")


async def operator(request: Request) -> str:
    """Who runs this platform and calls now, in words for the log: an owner of an operator's organisation, or a key of
    one with the scope operate.

    Raises ApiError 401 for any bad credential, 403 for everybody else.
    """
    services = services_of(request)
    value = credential(request, services)
    key: KeyRow | None = None
    session: Session | None = None
    if value is None:
        signed_in = await signed_in_here(request, services)
        if signed_in is None:
            raise ApiError("unauthenticated", "Missing credential, log in or send Authorization Bearer with your key")
        key, session = signed_in.key, signed_in.person
    elif value.startswith(PREFIX):
        key = await services.keys.find(value)
    else:
        session = await _session(value, services)
    if key is not None:
        if not key_operates(key):
            raise ApiError("forbidden", f"This key lacks the scope {OPERATE} of an operator's organisation")
        return f"key {key.key_id}"
    person_here = _holding(session)
    if not person_operates(person_here):
        raise ApiError("forbidden", "Only owners of the operator's organisation may look here")
    return person_here.email


def key_operates(key: KeyRow) -> bool:
    """Whether a key may use the operator's routes."""
    return OPERATE in key.scopes and key.operator


def person_operates(session: Session) -> bool:
    """Whether a person may."""
    return any(place.operator and place.role == "owner" for place in session.memberships)


async def signed_in_here(request: Request, services: Services) -> SignedIn | None:
    """Whom the page's cookie stands for; None without one.

    Raises ApiError 403 for a cookie in a call that does not come from our own page, 401 for one that does not hold.
    """
    token = page_token(request, services)
    if token is None:
        return None
    require_own_page(request, services, with_cookie=True)
    signed_in = await services.page.find(token)
    if signed_in is None:
        raise ApiError("unauthenticated", "You are signed out, please sign in again")
    return signed_in


def page_token(request: Request, services: Services) -> str | None:
    """The page's cookie as sent."""
    name = page_cookie_name(request, services)
    return request.cookies.get(name) if name else None


def page_cookie_name(request: Request, services: Services) -> str | None:
    """None where a cookie would cross a network in the clear."""
    return cookie_name(request.url.scheme, request.headers.get("host", ""), services.settings.public_url)


def require_own_page(request: Request, services: Services, *, with_cookie: bool) -> None:
    """Raises ApiError 403 for a call that another site made."""
    public_url = services.settings.public_url
    own = (public_url,) if public_url else ()
    if not is_from_own_page(request.method, request.headers, with_cookie=with_cookie, own_origins=own):
        text = "This call does not come from our own page. Programs send Authorization with a key instead of the cookie"
        raise ApiError("forbidden", text)


def acting_for(session: Session, org_id: str | None) -> Membership:
    """The organisation a person acts for: the one named, else their first.

    Raises ApiError 404 for any organisation they do not belong to, 403 if they belong to none.
    """
    if org_id is None:
        if not session.memberships:
            raise ApiError("forbidden", "You belong to no organisation, ask an owner to add you")
        return session.memberships[0]
    wanted = uuid_of(org_id)
    for place in session.memberships:
        if place.org_id == wanted:
            return place
    raise ApiError("not_found", "organisation not found")


def require_writer(place: Membership) -> None:
    """Raises ApiError 403 for a viewer."""
    if place.role == "viewer":
        raise ApiError("forbidden", "A viewer may only read, ask an owner for the role member")


async def _session(value: str, services: Services) -> Session:
    session_id = services.login.session_of(value)
    return _holding(await services.session_cache.find(session_id) if session_id else None)


def _holding(session: Session | None) -> Session:
    if session is None:
        raise _invalid()
    return session


def _caller(row: KeyRow | None, scope: str, org: str | None) -> Caller:
    if row is None:
        raise _invalid()
    if scope not in row.scopes:
        raise ApiError("forbidden", f"This key lacks the scope {scope}")
    if org is not None and org != str(row.org_id):
        raise ApiError("not_found", "organisation not found")
    return Caller(org_id=row.org_id, key_id=row.key_id, user_id=row.user_id, limits=_numbers(row.limits))


def _numbers(limits: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((name, value) for name, value in limits.items() if isinstance(value, int))


def _invalid() -> ApiError:
    return ApiError("unauthenticated", "Invalid or missing API key")
