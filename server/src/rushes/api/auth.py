"""Who is calling: an API key (`Bearer` or `Key`) or, under a session, a person acting for one organisation."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError


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


async def authenticate(request: Request, *, scope: str = "ie_model", write: bool = False) -> Caller:
    """The caller of a request-queue route. Raises ApiError 401 for any bad credential, 403 for scope or role."""
    services = services_of(request)
    value = credential(request, services)
    if value is None:
        raise ApiError("unauthenticated", "Missing API key, send Authorization Bearer with your key")
    if value.startswith("gmi_"):
        return await _by_key(value, services, scope)
    raise ApiError("unauthenticated", "Invalid or missing API key")


async def _by_key(value: str, services: Services, scope: str) -> Caller:
    row = await services.keys.find(value)
    if row is None:
        raise ApiError("unauthenticated", "Invalid or missing API key")
    if scope not in row.scopes:
        raise ApiError("forbidden", f"This key lacks the scope {scope}")
    limits = tuple((name, int(value)) for name, value in row.limits.items() if isinstance(value, int))
    return Caller(org_id=row.org_id, key_id=row.key_id, user_id=row.user_id, limits=limits)
