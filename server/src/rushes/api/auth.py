"""Who is calling: an API key (`Bearer` or `Key`), or a person, by access token, acting for one organisation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request

from rushes.accounts.keys import PREFIX
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.store.sessions import Membership, Session

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


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
        raise ApiError("unauthenticated", "Missing API key, send Authorization Bearer with your key")
    if value.startswith(PREFIX):
        caller = await _by_key(value, services, scope)
        if org is not None and org != str(caller.org_id):
            raise ApiError("not_found", "organisation not found")
        return caller
    session = await _session(value, services)
    place = acting_for(session, request.headers.get("x-organization-id") if org is None else org)
    if write:
        require_writer(place)
    return Caller(org_id=place.org_id, user_id=session.user_id, role=place.role, limits=_numbers(place.limits))


async def person(request: Request) -> Session:
    """The person of a route that keys may not use. Raises ApiError 403 for a key, 401 for any bad credential."""
    services = services_of(request)
    value = credential(request, services)
    if value is None:
        raise ApiError("unauthenticated", "Missing access token, log in first")
    if value.startswith(PREFIX):
        if await services.keys.find(value) is None:
            raise _invalid()
        raise ApiError("forbidden", "An API key cannot be used here, log in with e-mail and password")
    return await _session(value, services)


def acting_for(session: Session, org_id: str | None) -> Membership:
    """The organisation a person acts for: the one named, else their first.

    Raises ApiError 404 for any organisation they do not belong to, 403 if they belong to none.
    """
    if org_id is None:
        if not session.memberships:
            raise ApiError("forbidden", "You belong to no organisation, ask an owner to add you")
        return session.memberships[0]
    wanted = UUID(org_id) if _UUID.fullmatch(org_id) else None
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
    session = await services.session_cache.find(session_id) if session_id else None
    if session is None:
        raise _invalid()
    return session


async def _by_key(value: str, services: Services, scope: str) -> Caller:
    row = await services.keys.find(value)
    if row is None:
        raise _invalid()
    if scope not in row.scopes:
        raise ApiError("forbidden", f"This key lacks the scope {scope}")
    return Caller(org_id=row.org_id, key_id=row.key_id, user_id=row.user_id, limits=_numbers(row.limits))


def _numbers(limits: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((name, value) for name, value in limits.items() if isinstance(value, int))


def _invalid() -> ApiError:
    return ApiError("unauthenticated", "Invalid or missing API key")
