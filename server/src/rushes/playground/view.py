"""A request record in the words a person reads. static/view.js says the same, for what changes while one looks on.

Both take a record of the API and the time, and give one flat set of texts and conditions; one table of records runs
through both in the tests, so they cannot drift apart.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from rushes.domain.errors import FAILURES
from rushes.domain.request import FINAL

STEPS: Final = ("queued", "loading", "generating", "encoding", "uploading")
TONES: Final = {"processing": "run", "success": "good", "failed": "bad", "cancelled": "off"}
DAY: Final = 86_400
NOT_CHARGED: Final = "nothing charged"


def request_view(record: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Everything that a row, the stage and the detail page show of a request. `now` in unix seconds."""
    status: str = record["status"]
    final = status in FINAL
    return {
        "id": record["request_id"],
        "short": record["request_id"][:8],
        "href": f"/requests/{record['request_id']}",
        "cancel_href": f"/requests/{record['request_id']}/cancel",
        "model": record["model"],
        "model_href": model_href(record["model"]),
        "prompt": prompt_of(record["payload"]),
        "title": prompt_of(record["payload"]) or record["request_id"][:8],
        "status": status,
        "label": status.capitalize(),
        "tone": TONES.get(status, "wait"),
        "waiting": status in ("created", "queued", "dispatched"),
        "running": status == "processing",
        "success": status == "success",
        "failed": status == "failed",
        "cancelled": status == "cancelled",
        "final": final,
        "live": not final,
        "again": final and bool(record["payload"]),
        **_progress(record, status),
        **_times(record, now),
        **_money(record, final),
        **_media(record, now),
        **_error(record),
        **_engine(record),
    }


def blank_view() -> dict[str, Any]:
    """A view of nothing, for the templates that scripts fill in."""
    nothing: dict[str, Any] = {"request_id": "", "model": "", "status": "queued", "payload": {}, "created_at": 0}
    return {name: "" if isinstance(value, str) else value for name, value in request_view(nothing, 0).items()}


def prompt_of(payload: Mapping[str, Any]) -> str:
    """The words of a payload: its prompt, else its first text that is no address."""
    given = payload.get("prompt")
    if isinstance(given, str) and given:
        return given
    texts = (value for value in payload.values() if isinstance(value, str))
    return next((text for text in texts if text and not text.startswith(("http://", "https://", "data:"))), "")


def model_href(model: str) -> str:
    return f"/models/{quote(model, safe='')}"


def money(micro: int | None) -> str:
    """Micro-dollars as people write them: at least cents, and as many places as there are."""
    if micro is None:
        return ""
    sign, whole, rest = "-" if micro < 0 else "", abs(micro) // 1_000_000, f"{abs(micro) % 1_000_000:06d}"
    return f"{sign}${whole:,}.{rest.rstrip('0').ljust(2, '0')}"


def duration(seconds: float) -> str:
    """Whole seconds in one or two units: 42 s, 3 min 5 s, 2 h 10 min, 6 d."""
    total = max(0, int(seconds))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min" + (f" {total % 60} s" if total % 60 else "")
    if total < DAY:
        return f"{total // 3600} h" + (f" {total % 3600 // 60} min" if total % 3600 // 60 else "")
    return f"{total // DAY} d"


def age(then: int, now: float) -> str:
    """How long ago, in one unit."""
    past = max(0, int(now) - then)
    for size, unit in ((DAY, "d"), (3600, "h"), (60, "min")):
        if past >= size:
            return f"{past // size} {unit} ago"
    return "just now" if past < 5 else f"{past} s ago"


def clock(then: int | None) -> str:
    """An absolute time, its zone named."""
    return "" if then is None else datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def own_link(url: str | None) -> str:
    """A link of this server without its host, so that it works under whatever name the page was opened."""
    if not url:
        return ""
    parts = urlsplit(url)
    ours = parts.path.startswith(("/artifacts/", "/files/"))
    return f"{parts.path}?{parts.query}" if ours and parts.query else parts.path if ours else url


def _progress(record: Mapping[str, Any], status: str) -> dict[str, Any]:
    percent = 100 if status == "success" else int(record.get("progress") or 0)
    stage = record.get("stage") if status == "processing" else None
    step = "queued" if stage is None else stage
    at = len(STEPS) if status == "success" else STEPS.index(step) if step in STEPS else 0
    position, eta = record.get("queue_position"), record.get("eta_seconds")
    return {
        "percent": percent,
        "percent_text": f"{percent} %",
        "attempt_text": f"attempt {record['attempt']}" if (record.get("attempt") or 0) > 1 else "",
        **{f"step_{name}": "done" if i < at else "now" if i == at else "next" for i, name in enumerate(STEPS)},
        "place": "" if position is None else "next in line" if position == 0 else f"{position} ahead",
        "eta": "" if eta is None else f"about {duration(eta)} left",
        "step": (stage or "starting").capitalize(),
    }


def _times(record: Mapping[str, Any], now: float) -> dict[str, Any]:
    created, started, finished = record["created_at"], record.get("started_at"), record.get("finished_at")
    waited = duration((started or finished or now) - created)
    ran = duration((finished or now) - started) if started else ""
    return {
        "created": clock(created),
        "age": age(created, now),
        "waited": waited,
        "ran": ran,
        "clock": f"{waited} in the queue" + (f", {ran} {'to make' if finished else 'so far'}" if ran else ""),
    }


def _money(record: Mapping[str, Any], final: bool) -> dict[str, Any]:
    charge, quote_micro = record.get("charge_micro_usd"), record.get("quote_micro_usd")
    if final:
        return {"cost": money(charge or 0), "cost_note": "charged" if charge else NOT_CHARGED}
    return {"cost": money(quote_micro), "cost_note": "quoted, charged only for a finished video"}


def _media(record: Mapping[str, Any], now: float) -> dict[str, Any]:
    outcome: dict[str, Any] = record.get("outcome") or {}
    expires = record.get("expires_at")
    left = None if expires is None else expires - int(now)
    expired = left is not None and left <= 0
    return {
        "video": "" if expired else own_link(outcome.get("video_url")),
        "thumb": "" if expired else own_link(outcome.get("thumbnail_image_url")),
        "has_video": bool(outcome.get("video_url")) and not expired,
        "gone": record["status"] == "success" and (expired or not outcome.get("video_url")),
        "expires": "" if left is None else "expired" if expired else f"expires in {duration(left)}",
        "expiring": left is not None and 0 < left < DAY,
        "seed": "" if record.get("seed") is None else str(record["seed"]),
    }


def _error(record: Mapping[str, Any]) -> dict[str, Any]:
    code = record.get("error_code") or ""
    facts = [
        f"Request {record['request_id']}",
        f"Model {record['model']}",
        f"{code}: {record.get('error') or ''}",
        f"Attempt {record.get('attempt') or 0}, engine {record.get('engine') or 'none'}",
        f"Made {clock(record['created_at'])}",
    ]
    return {
        "support": "\n".join(facts) if record["status"] == "failed" else "",
        "error": record.get("error") or "",
        "error_code": code,
        "advice": FAILURES[code].advice if code in FAILURES else "",
        "retryable": record.get("retryable") is True,
    }


def _engine(record: Mapping[str, Any]) -> dict[str, Any]:
    engine = record.get("engine") or ""
    simulated = engine == "animatic"
    return {
        "engine": engine,
        "simulated": simulated,
        "engine_note": f"Drawn by animatic, not by {record['model']}" if simulated else f"Made by {engine}",
    }
