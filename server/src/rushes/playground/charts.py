"""Pictures of figures as SVG: they print, need no script, and have their numbers beside them as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

WIDTH: Final = 1000.0
"""Units from left to right; the page scales the picture to its own width."""
GAP: Final = 2.0
SMALLEST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Span:
    """One stage of one attempt: where it lies in the picture, and how long it took."""

    stage: str
    start: float
    width: float
    seconds: float
    open: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt, or the wait before the first."""

    name: str
    cause: str
    spans: Sequence[Span]


def timeline(record: Mapping[str, Any], now: float) -> list[Bar]:
    """A bar for each attempt, cut into queue, loading, generating, encoding and uploading; all on one scale."""
    begin = float(record["created_at"])
    attempts = cast(list[Mapping[str, Any]], record.get("attempts") or [])
    # The ends are whole seconds and the stages are not: the last stage is drawn although it began after its end.
    latest = max((at for each in attempts for _, at in _stages(each, begin)), default=begin)
    end = max(float(record.get("finished_at") or now), begin + 1, latest + (latest - begin) * 0.01)
    bars: list[Bar] = []
    waiting_since = begin
    for attempt in attempts:
        claimed = float(attempt.get("claimed_at") or attempt.get("started_at") or waiting_since)
        ended = float(attempt.get("finished_at") or attempt.get("ended_at") or end)
        marks = [("queue", waiting_since)] if claimed > waiting_since else []
        marks += _stages(attempt, claimed)
        bars.append(
            Bar(
                name=f"Attempt {attempt.get('attempt') or attempt.get('n')}",
                cause=_cause(attempt),
                spans=_spans(marks, ended, begin, end, open_ended=not attempt.get("finished_at")),
            )
        )
        waiting_since = ended
    if not bars:
        bars.append(Bar("Waiting", "", _spans([("queue", begin)], end, begin, end, open_ended=True)))
    return bars


def _stages(attempt: Mapping[str, Any], claimed: float) -> list[tuple[str, float]]:
    stages = cast(list[Mapping[str, Any]], attempt.get("stages") or [])
    found = [(str(each["stage"]), float(each["at"])) for each in stages]
    return found or [("generating", claimed)]


def _spans(
    marks: Sequence[tuple[str, float]], ended: float, begin: float, end: float, *, open_ended: bool
) -> list[Span]:
    scale = WIDTH / (end - begin)
    spans: list[Span] = []
    for index, (stage, at) in enumerate(marks):
        until = marks[index + 1][1] if index + 1 < len(marks) else ended
        width = max(SMALLEST, (until - at) * scale - GAP)
        spans.append(Span(stage, round((at - begin) * scale, 1), round(width, 1), max(0.0, until - at), open_ended))
    return spans


def _cause(attempt: Mapping[str, Any]) -> str:
    """Why an attempt ended, where it did not end well."""
    result = attempt.get("result") or attempt.get("cause") or ""
    return "" if result == "success" else str(attempt.get("error") or result)
