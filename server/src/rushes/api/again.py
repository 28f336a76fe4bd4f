"""A finished request submitted again: POST requests/{id}/retry, and the retry of a bulk action."""

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from rushes.api.auth import Caller, authenticate
from rushes.api.body import fingerprint
from rushes.api.idempotency import idempotency_key, replayed
from rushes.api.limits import limited
from rushes.api.record import short_record
from rushes.api.requests import not_found, path_id, replay_of, submitter_of
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError, InvalidPayload
from rushes.domain.request import Status
from rushes.queue.submit import Options
from rushes.store.records import Request
from rushes.store.submits import AnswerOf, Replay


async def retry(http: HttpRequest) -> Response:
    """POST requests/{id}/retry: what failed or was cancelled, submitted once more as a new request."""
    services = services_of(http)
    caller = await authenticate(http, write=True)
    headers = await limited(http, caller, "submit")
    old = await services.requests.get(caller.org_id, path_id(http))
    if old is None:
        raise not_found()
    key, body = idempotency_key(http), {"retry_of": str(old.request_id)}

    def kept(new: Request) -> str:
        return _answer(new, old, None, None)

    once = None if key is None else (key, fingerprint(body), kept)
    try:
        new = await submitted_again(services, caller, old, once)
    except Replay as replay:
        return replayed(replay.answer)
    except (ApiError, InvalidPayload):
        # What was accepted once is answered again, even if it would be refused today.
        if key is not None and (replay := await replay_of(services, caller, key, body)) is not None:
            return replay
        raise
    position = None if key else await services.forecast.position(new)
    eta = None if key else await services.forecast.eta(new, position, 0.0)
    return Response(_answer(new, old, position, eta), 200, headers, "application/json")


def _answer(new: Request, old: Request, position: int | None, eta: int | None) -> str:
    """What a retry answers; under an idempotency key, now and every later time, it holds no forecast."""
    return orjson.dumps({**short_record(new, position, eta), "retry_of": str(old.request_id)}).decode()


async def submitted_again(
    services: Services, caller: Caller, old: Request, once: tuple[str, bytes, AnswerOf] | None = None
) -> Request:
    """A new request with the old one's payload and options, checked and priced as any, under an idempotency key if one
    is given. Raises what a submit raises."""
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
    new = await services.submit.admit(submitter, prepared, options, idempotency=once)
    services.watch.put(new)
    return new
