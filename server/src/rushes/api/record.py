"""A stored request as the wire shows it. The stored outcome holds ids; links are signed anew at each reading."""

import time
from datetime import datetime
from typing import Any

from rushes.api.services import Services
from rushes.domain.request import Status
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
    """What a GET answers, with position and forecast."""
    position = eta = None
    if not request.final:
        position = await services.forecast.position(request)
        started = request.started_at.timestamp() if request.started_at else None
        eta = await services.forecast.eta(request, position, 0.0 if started is None else time.time() - started)
    return record(request, services, position=position, eta=eta)


def record(
    request: Request, services: Services, *, position: int | None = None, eta: int | None = None
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
        "seed": request.plan.get("seed"),
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
    }


def outcome(request: Request, services: Services) -> dict[str, Any] | None:
    """Null until the status is final, then an object: links on success, the reason otherwise."""
    if not request.final or request.purged_at is not None or request.outcome is None:
        return None
    if request.status is not Status.SUCCESS:
        return request.outcome
    return _success(request.outcome, request, services)


def _success(stored: dict[str, Any], request: Request, services: Services) -> dict[str, Any]:
    expires = _link_expiry(request, services)
    video, thumbnail = stored["video"], stored["thumbnail"]
    video_url = _link(services, video, expires)
    return {
        "video_url": video_url,
        "thumbnail_image_url": _link(services, thumbnail, expires),
        "media_urls": [
            {
                "id": "0",
                "url": video_url,
                "content_type": video["content_type"],
                "width": video["width"],
                "height": video["height"],
                "fps": video["fps"],
                "duration_seconds": video["seconds"],
                "size_bytes": video["size_bytes"],
                "sha256": video["sha256"],
            }
        ],
        "seed": stored.get("seed"),
    }


def _link(services: Services, artifact: dict[str, Any], expires: int) -> str:
    name = "video.mp4" if artifact["kind"] == "video" else "thumbnail.jpg"
    return services.links.sign(f"/artifacts/{artifact['artifact_id']}/{name}", method="GET", expires=expires)


def _link_expiry(request: Request, services: Services) -> int:
    """The signature holds for a while from now. A record past its time keeps its links, which then answer 410."""
    return int(time.time()) + services.settings.link_seconds
