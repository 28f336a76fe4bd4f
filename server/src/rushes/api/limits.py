"""The rate policies of the API: submit, dry_run, poll. Without a limit set, nothing is counted."""

from starlette.requests import Request

from rushes.api.auth import Caller
from rushes.api.services import services_of
from rushes.domain.errors import ApiError

DRY_RUN_FACTOR = 10
"""A form may ask while one types: ten dry runs for each submit."""


async def limited(request: Request, caller: Caller, policy: str) -> dict[str, str]:
    """The RateLimit headers of this call. Raises ApiError 429 when the caller's rate is used up."""
    services = services_of(request)
    settings = services.settings
    default = {
        "submit": settings.submits_per_minute,
        "dry_run": settings.submits_per_minute and settings.submits_per_minute * DRY_RUN_FACTOR,
        "poll": settings.polls_per_minute,
    }[policy]
    own = caller.limit(f"{policy}s_per_minute")
    per_minute = default if own is None else own
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
