"""The last hour as an SVG: requests that finished and failed each minute as bars, the median wait as a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

WIDTH: Final = 1000.0
HEIGHT: Final = 120.0


@dataclass(frozen=True, slots=True)
class MinuteBar:
    """One minute."""

    x: float
    width: float
    finished: float
    failed: float
    """Heights; what failed stands on what finished."""
    said: str


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """What the template draws. `waits` are the points of a polyline, one for each run of minutes that had a wait."""

    bars: Sequence[MinuteBar]
    waits: Sequence[str]
    most: int
    longest_wait: float


def series_chart(points: Sequence[Mapping[str, Any]]) -> SeriesChart:
    """`points` are the minutes of GET operate/series, oldest first."""
    most = max((point["finished"] + point["failed"] for point in points), default=0)
    longest = max((point["wait_p50_seconds"] or 0.0 for point in points), default=0.0)
    step = WIDTH / max(1, len(points))
    bars: list[MinuteBar] = []
    lines: list[list[str]] = [[]]
    for index, point in enumerate(points):
        scale = HEIGHT / most if most else 0.0
        at = datetime.fromtimestamp(point["at"], UTC).strftime("%H:%M")
        said = f"{at} UTC: {point['submitted']} submitted, {point['finished']} finished, {point['failed']} failed"
        finished, failed = round(point["finished"] * scale, 2), round(point["failed"] * scale, 2)
        bars.append(MinuteBar(round(index * step, 2), round(step * 0.8, 2), finished, failed, said))
        wait = point["wait_p50_seconds"]
        if wait is None or not longest:
            lines.append([])
        else:
            lines[-1].append(f"{round((index + 0.4) * step, 1)},{round(HEIGHT - wait / longest * HEIGHT, 1)}")
    return SeriesChart(bars, [" ".join(line) for line in lines if line], most, longest)
