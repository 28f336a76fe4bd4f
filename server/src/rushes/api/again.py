"""A finished request submitted again: POST requests/{id}/retry, and the retry of a bulk action."""

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import Caller, authenticate
from rushes.api.limits import limited
from rushes.api.record import short_record
from rushes.api.requests import not_found, path_id, submitter_of
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.domain.request import Status
from rushes.queue.submit import Options
from rushes.store.records import Request


async def retry(http: HttpRequest) -> Response:
    """POST requests/{id}/retry: what failed or was cancelled, submitted once more as a new request."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    headers = await limited(http, caller, "submit")
    old = await services.requests.get(caller.org_id, path_id(http))
    if old is None:
        raise not_found()
    new = await submitted_again(services, caller, old)
    position = await services.forecast.position(new)
    eta = await services.forecast.eta(new, position, 0.0)
    answer = {**short_record(new, position, eta), "retry_of": str(old.request_id)}
    return reply(answer, headers=headers)


async def submitted_again(services: Services, caller: Caller, old: Request) -> Request:
    """A new request with the old one's payload and options, checked and priced as any. Raises what a submit raises."""
    if old.status not in (Status.FAILED, Status.CANCELLED):
        raise ApiError(
            "invalid_request",
            f"Only a failed or cancelled request can be retried, this one is {old.status}",
            param="request_id",
        )
    if old.purged_at is not None:
        raise ApiError("invalid_request", "This request was purged, its payload is gone", param="request_id")
    submitter = submitter_of(caller, services)
    prepared = await services.submit.prepare(submitter, old.model, old.payload)
    options = Options(
        webhook_url=old.webhook_url,
        webhook_events=old.webhook_events,
        metadata=old.metadata,
        priority=old.priority,
        expires_after=old.expires_after,
    )
    new = await services.submit.admit(submitter, prepared, options)
    services.watch.put(new)
    return new
