"""The operator's routes: what the platform is doing, and pause, drain, hold and resume. For its owners only."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.auth import operator
from rushes.api.iam import NO_STORE
from rushes.api.query import number
from rushes.api.record import seconds
from rushes.api.services import Services, services_of
from rushes.domain.errors import ApiError
from rushes.engines.lanes import label_of, model_of
from rushes.store.database import Row
from rushes.store.operate import COUNTED, Minute
from rushes.store.workers import Order

MAX_SAID = 500
RECENT_SECONDS = 300


async def overview(request: Request) -> Response:
    """GET overview: figures of now, and of the last five minutes."""
    services = await _services(request)
    row = await services.live.overview.get()
    return _reply(
        {
            "at": seconds(row["now"]),
            **{name: row[name] for name in ("waiting", "running", "qworkers", "slots", "busy", "held_lanes")},
            "recent": {
                "seconds": RECENT_SECONDS,
                **{name: row[name] for name in _COUNTS},
                "wait_p50_seconds": _tenths(row["wait_p50"]),
                "wait_p95_seconds": _tenths(row["wait_p95"]),
            },
        }
    )


async def queue(request: Request) -> Response:
    """GET queue: waiting and running by lane, model and organisation."""
    services = await _services(request)
    rows = await services.live.queue.get()
    return _reply({"queue": [_queue_object(row) for row in rows], "counted": COUNTED})


async def qworkers(request: Request) -> Response:
    """GET qworkers: every qworker of the last hour, what it runs, and how long ago it was heard of."""
    services = await _services(request)
    rows = await services.live.qworkers.get()
    lease = services.settings.lease_seconds
    return _reply({"qworkers": [_qworker_object(row, lease) for row in rows], "lease_seconds": lease})


async def lanes(request: Request) -> Response:
    """GET lanes: who serves each, how long its line is, and why it is held."""
    services = await _services(request)
    return _reply({"lanes": await _lanes(services)})


async def events(request: Request) -> Response:
    """GET events: what was done to lanes and qworkers and by whom, newest first."""
    services = await _services(request)
    limit = number(request, "limit", 100, low=1, high=1000, clamp=True)
    before = number(request, "before", 0, low=0, high=2**53)
    rows = await services.operate.events(limit=limit, before=before or None)
    return _reply({"events": [{**dict(row), "at": seconds(row["at"])} for row in rows]})


async def series(request: Request) -> Response:
    """GET series: what each minute of the last hour or day saw."""
    services = await _services(request)
    span = request.query_params.get("span") or "hour"
    if span not in ("hour", "day"):
        raise ApiError("invalid_request", "Invalid span, must be hour or day", param="span")
    minutes = await (services.live.hour if span == "hour" else services.live.day).get()
    return _reply({"span": span, "step_seconds": 60, "points": [_point(minute) for minute in minutes]})


async def pause(request: Request) -> Response:
    """POST qworkers/{id}/pause: it claims nothing more, and what runs goes on."""
    return await _order(request, "pause")


async def resume_qworker(request: Request) -> Response:
    """POST qworkers/{id}/resume: a paused one claims again."""
    return await _order(request, "run")


async def drain(request: Request) -> Response:
    """POST qworkers/{id}/drain: it finishes or hands back what runs, and ends."""
    return await _order(request, "drain")


async def hold(request: Request) -> Response:
    """POST lanes/{lane}/hold: nothing more is claimed from it; its queue is kept."""
    services, actor = services_of(request), await operator(request)
    said = request.query_params.get("reason")
    if said is not None and (len(said) > MAX_SAID or not said.isprintable()):
        raise ApiError(
            "invalid_request", f"Invalid reason, must be a line of at most {MAX_SAID} characters", param="reason"
        )
    return await _told(request, services, await services.lanes.hold(_lane(request), actor=actor, said=said))


async def resume_lane(request: Request) -> Response:
    """POST lanes/{lane}/resume: it is claimed from again, its failures forgotten."""
    services, actor = services_of(request), await operator(request)
    return await _told(request, services, await services.lanes.resume(_lane(request), actor=actor))


async def _services(request: Request) -> Services:
    await operator(request)
    return services_of(request)


async def _order(request: Request, order: Order) -> Response:
    services, actor = services_of(request), await operator(request)
    try:
        qworker_id = UUID(request.path_params["qworker_id"])
    except ValueError:
        raise ApiError("not_found", "qworker not found") from None
    told = await services.workers.order(qworker_id, order, actor=actor)
    if told is None:
        raise ApiError("not_found", "qworker not found")
    services.live.changed()
    return _reply({"qworker_id": str(qworker_id), "ordered": told["ordered"], "busy": told["busy"]})


def _lane(request: Request) -> str:
    return request.path_params["lane"]


async def _told(request: Request, services: Services, known: bool) -> Response:
    """The lane as it is now. Raises ApiError 404 for one that nobody knows."""
    if not known:
        raise ApiError("not_found", "lane not found")
    services.live.changed()
    return _reply(next(lane for lane in await _lanes(services) if lane["lane"] == _lane(request)))


async def _lanes(services: Services) -> list[dict[str, Any]]:
    queue = await services.live.queue.get()
    workers = [
        row for row in await services.live.qworkers.get() if row["age_seconds"] <= services.settings.lease_seconds
    ]
    return [_lane_object(row, queue, workers) for row in await services.live.lanes.get()]


def _lane_object(row: Row, queue: Sequence[Row], workers: Sequence[Row]) -> dict[str, Any]:
    waiting = [one for one in queue if one["lane"] == row["lane"]]
    serving = [worker for worker in workers if row["lane"] in worker["lanes"]]
    queued = sum(one["queued"] for one in waiting)
    model = model_of(row["lane"]) or None
    state = "held" if row["held"] else "open" if serving else "unserved"
    return {
        "lane": row["lane"],
        "engine": label_of(row["lane"]),
        "model": model,
        "state": state,
        "cause": row["cause"],
        "said": row["said"],
        "since": seconds(row["since"]),
        "failures": row["failures"],
        "failing": row["failing"],
        "queued": queued,
        "queued_is_capped": any(one["queued"] >= COUNTED for one in waiting) or queued >= COUNTED,
        "running": sum(one["running"] for one in waiting),
        "oldest_queued_at": seconds(min((one["oldest"] for one in waiting if one["oldest"]), default=None)),
        "served_at": seconds(row["served_at"]),
        "qworkers": len(serving),
        "slots": sum(worker["slots"] for worker in serving),
        "load_seconds": _tenths(row["load_seconds"]),
        "refused_by": [
            {"qworker_id": str(worker["qworker_id"]), "host": worker["host"], "model": name, "reason": reason}
            for worker in workers
            for name, reason in orjson.loads(worker["refused"]).items()
            if name == model or (model is None and row["lane"] in worker["lanes"])
        ],
    }


def _queue_object(row: Row) -> dict[str, Any]:
    return {
        "lane": row["lane"],
        "model": row["model"],
        "org_id": str(row["org_id"]),
        "organisation": row["organisation"],
        "queued": row["queued"],
        "running": row["running"],
        "oldest_queued_at": seconds(row["oldest"]),
    }


def _qworker_object(row: Row, lease: float) -> dict[str, Any]:
    return {
        "qworker_id": str(row["qworker_id"]),
        "host": row["host"],
        "pid": row["pid"],
        "version": row["version"],
        "state": _state(row, lease),
        "lanes": row["lanes"],
        "loaded": row["loaded"],
        "refused": orjson.loads(row["refused"]),
        "slots": row["slots"],
        "busy": row["busy"],
        "memory_bytes": row["memory_bytes"],
        "requests": orjson.loads(row["requests"]),
        "started_at": seconds(row["started_at"]),
        "seen_at": seconds(row["seen_at"]),
        "age_seconds": _tenths(row["age_seconds"]),
    }


def _state(row: Row, lease: float) -> str:
    """lost once a whole lease has passed without a heartbeat: what it held is given to others then."""
    if row["age_seconds"] > lease:
        return "lost"
    if row["draining"] or row["ordered"] == "drain":
        return "draining"
    if row["ordered"] == "pause":
        return "paused"
    return "busy" if row["busy"] else "idle"


_COUNTS = ("submitted", "started", "finished", "failed", "cancelled")


def _point(minute: Minute) -> dict[str, Any]:
    return {
        "at": seconds(minute.at),
        **{name: getattr(minute, name) for name in _COUNTS},
        "wait_p50_seconds": _tenths(minute.wait_p50),
        "wait_p95_seconds": _tenths(minute.wait_p95),
    }


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _reply(value: Any) -> Response:
    return reply(value, headers=NO_STORE)
