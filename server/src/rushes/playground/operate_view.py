"""Qworkers and lanes in words. static/elements/operate.js says the same, for what changes while one looks on."""

from collections.abc import Mapping
from typing import Any, Final

from rushes.playground.view import duration

QWORKER_TONES: Final = {"idle": "good", "busy": "run", "paused": "wait", "draining": "wait", "lost": "bad"}
LANE_TONES: Final = {"open": "good", "held": "bad", "unserved": "wait"}


def tiles(overview: Mapping[str, Any]) -> dict[str, str]:
    """The figures at the top."""
    recent = overview["recent"]
    minutes = recent["seconds"] / 60
    return {
        "waiting": f"{overview['waiting']:,}",
        "running": f"{overview['running']:,}",
        "slots": f"{overview['busy']} of {overview['slots']}",
        "qworkers": f"{overview['qworkers']}",
        "done": f"{recent['finished'] / minutes:.1f}",
        "failed": f"{recent['failed']:,}",
        "p50": seconds(recent["wait_p50_seconds"]),
        "p95": seconds(recent["wait_p95_seconds"]),
        "held": f"{overview['held_lanes']}",
    }


def qworker(row: Mapping[str, Any]) -> dict[str, str]:
    """What changes in a qworker's row."""
    requests: list[Mapping[str, Any]] = row["requests"]
    first = requests[0] if requests else None
    more = f" and {len(requests) - 1} more" if len(requests) > 1 else ""
    return {
        "label": str(row["state"]).capitalize(),
        "tone": QWORKER_TONES[row["state"]],
        "slots": f"{row['busy']} of {row['slots']}",
        "age": f"{int(row['age_seconds'])} s ago",
        "doing": "" if first is None else f"{first['model']} {first['progress']} %{more}",
        "memory": "" if row["memory_bytes"] is None else f"{row['memory_bytes'] >> 20:,} MiB · ",
    }


def lane(row: Mapping[str, Any], now: float) -> dict[str, str]:
    """What changes in a lane's row. `now` in unix seconds by the server's clock."""
    oldest = row["oldest_queued_at"]
    return {
        "label": str(row["state"]).capitalize(),
        "tone": LANE_TONES[row["state"]],
        "queued": f"{row['queued']:,}{'+' if row['queued_is_capped'] else ''}",
        "running": f"{row['running']:,}",
        "oldest": "" if oldest is None else duration(now - oldest),
    }


def seconds(value: float | None) -> str:
    """A wait, to a tenth of a second while it is short."""
    return "none" if value is None else f"{value:.1f} s" if value < 60 else duration(value)
