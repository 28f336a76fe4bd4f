"""The rate policies of the API: submit, dry_run, poll, upload. Without a limit set, nothing is counted."""

import math
from uuid import UUID

from starlette.requests import Request

from rushes.api.auth import Caller
from rushes.api.services import Services, services_of
from rushes.config import Settings
from rushes.domain.errors import ApiError

DRY_RUN_FACTOR = 10
"""A form may ask while one types: ten dry runs for each submit."""
UPLOAD_LIMIT = "upload_bytes_per_day"
DAY_SECONDS = 86_400


async def limited(request: Request, caller: Caller, policy: str) -> dict[str, str]:
    """The RateLimit headers of this call. Raises ApiError 429 when the caller's rate is used up."""
    services = services_of(request)
    own = caller.limit(f"{policy}s_per_minute") if caller.limits else None
    per_minute = _usual(services.settings, policy) if own is None else own
    if per_minute is None:
        return {}
    allowed, left, reset = services.rates.hit(policy, caller.key_id or str(caller.user_id), per_minute)
    headers = {
        "RateLimit-Policy": f'"{policy}";q={per_minute};w=60',
        "RateLimit": f'"{policy}";r={left};t={reset}',
    }
    if not allowed:
        raise ApiError(
            "rate_limited",
            f"Rate limit reached, {per_minute} {policy} calls a minute are allowed",
            headers={**headers, "Retry-After": str(reset)},
        )
    return headers


def _usual(settings: Settings, policy: str) -> int | None:
    """Calls a minute of who has no limit of their own."""
    if policy == "poll":
        return settings.polls_per_minute
    return settings.submits_per_minute and settings.submits_per_minute * (DRY_RUN_FACTOR if policy == "dry_run" else 1)


async def upload_allowed(services: Services, org_id: UUID, own_limit: int | None, size: int) -> dict[str, str]:
    """The RateLimit headers of an upload of `size` bytes (0 if that is not known yet).

    Raises ApiError 429 when it would take the organisation past its bytes of the last 24 hours. The database counts
    them, so the limit is one for all API processes.
    """
    limit = services.settings.upload_bytes_per_day if own_limit is None else own_limit
    if limit is None:
        return {}
    used, seconds = await services.files.uploaded_today(org_id)
    reset = max(1, math.ceil(seconds))
    headers = {
        "RateLimit-Policy": f'"upload";q={limit};qu="content-bytes";w={DAY_SECONDS}',
        "RateLimit": f'"upload";r={max(0, limit - used)};t={reset}',
    }
    if used + max(size, 1) > limit:
        raise ApiError(
            "rate_limited",
            f"Rate limit reached, {limit} bytes of uploads a day are allowed and {max(0, limit - used)} are left",
            headers={**headers, "Retry-After": str(reset)},
        )
    return headers
