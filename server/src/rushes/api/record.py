"""A stored request as the wire shows it."""

import time
from datetime import datetime
from typing import Any

from rushes.api.services import Services
from rushes.api.waiting import waiting_for
from rushes.domain.request import Status
from rushes.queue.outcome import outcome_of
from rushes.store.records import Request


def seconds(moment: datetime | None) -> int | None:
    """Unix seconds, whole: a published client refuses fractions."""
    return None if moment is None else int(moment.timestamp())


def short_record(request: Request, position: int | None, eta: int | None) -> dict[str, Any]:
    """What a submit answers."""
    return {
        "request_id": str(request.request_id),
        "model": request.model,
        "status": request.status.value,
        "created_at": seconds(request.created_at),
        "updated_at": seconds(request.updated_at),
        "queued_at": seconds(request.queued_at),
        "warnings": request.warnings,
        "quote_micro_usd": request.quote_micro,
        "queue_position": position,
        "eta_seconds": eta,
    }


async def full_record(request: Request, services: Services) -> dict[str, Any]:
    """What a GET answers, with position, forecast and what is missing for it to begin."""
    position = eta = missing = None
    if not request.final:
        position = await services.forecast.position(request)
        started = request.started_at.timestamp() if request.started_at else None
        eta = await services.forecast.eta(request, position, 0.0 if started is None else time.time() - started)
        missing = await waiting_for(services, request.lane) if request.status == "queued" else None
    return record(request, services, position=position, eta=eta, missing=missing)


def record(
    request: Request,
    services: Services,
    *,
    position: int | None = None,
    eta: int | None = None,
    missing: str | None = None,
) -> dict[str, Any]:
    """The full record; lists leave the forecast out."""
    return {
        "request_id": str(request.request_id),
        "org_id": str(request.org_id),
        "user_id": str(request.user_id or ""),
        "model": request.model,
        "status": request.status.value,
        "is_public": False,
        "payload": request.payload,
        "outcome": outcome(request, services),
        "created_at": seconds(request.created_at),
        "updated_at": seconds(request.updated_at),
        "queued_at": seconds(request.queued_at),
        "qworker_id": str(request.qworker_id or ""),
        "error": request.error,
        "error_code": request.error_code,
        "retryable": request.retryable,
        "attempt": request.attempt,
        "engine": request.engine,
        "rendered_by": _rendered_by(request),
        "waiting_for": missing,
        "seed": (request.outcome or {}).get("seed", request.plan.get("seed")),
        "progress": request.progress,
        "stage": request.stage,
        "queue_position": position,
        "eta_seconds": eta,
        "warnings": request.warnings,
        "quote_micro_usd": request.quote_micro,
        "charge_micro_usd": request.charge_micro,
        "cost": request.charge_micro,
        "started_at": seconds(request.started_at),
        "finished_at": seconds(request.finished_at),
        "expires_at": seconds(request.expires_at),
        "metadata": request.metadata,
        "group_id": None if request.group_id is None else str(request.group_id),
    }


def _rendered_by(request: Request) -> str | None:
    """The engine that made the video: the upstream's own, where it is another's and is known. Null before success."""
    if request.status is not Status.SUCCESS:
        return None
    return (request.outcome or {}).get("rendered_by") or request.engine


def outcome(request: Request, services: Services) -> dict[str, Any] | None:
    """The outcome with links that hold for a while from now."""
    return outcome_of(request, services.links, links_end(services.settings.link_seconds))


def links_end(link_seconds: int) -> int:
    """When links that are given out now end: after `link_seconds`, and at most a tenth or a minute later.

    So the same film has the same link for a while, which browsers and our own answers can keep.
    """
    step = max(1, min(60, link_seconds // 10))
    return (int(time.time()) // step + 1) * step + link_seconds
