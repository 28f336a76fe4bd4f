"""Progress bars for terminals, drawn with plain ANSI; elsewhere one line per change."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from gmicloud._internal._models import GetRequestResponse

WIDTH = 24
UP, CLEAR = "\x1b[{}A", "\x1b[2K"


@dataclass
class _Row:
    name: str
    started: float
    text: str = ""
    percent: int = 0
    ended: float | None = None


class ProgressBars:
    """One bar per request. Give `bar(name)` as `on_progress`; may be fed from several threads.

    On a terminal all bars are redrawn in place; otherwise a line is written whenever a request's status or stage
    changes.
    """

    def __init__(self, out: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = sys.stderr if out is None else out
        self._live = self._out.isatty()
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: list[_Row] = []
        self._drawn = 0

    def bar(self, name: str) -> Callable[[GetRequestResponse], None]:
        """A new bar; call the result with each record."""
        row = _Row(name, self._clock())
        with self._lock:
            self._rows.append(row)

        def update(record: GetRequestResponse) -> None:
            with self._lock:
                self._update(row, record)

        return update

    def _update(self, row: _Row, record: GetRequestResponse) -> None:
        before = row.text
        row.text = describe(record)
        percent = 100 if record.status == "success" else record.progress
        row.percent = int(percent) if isinstance(percent, (int, float)) else 0
        row.ended = self._clock() if record.is_final and row.ended is None else row.ended
        if self._live:
            self._draw()
        elif row.text != before:
            self._out.write(f"{row.name}: {row.text}\n")
            self._out.flush()

    def _draw(self) -> None:
        width = max(len(row.name) for row in self._rows)
        lines = [f"{CLEAR}{_line(row, width, self._clock())}\n" for row in self._rows]
        up = UP.format(self._drawn) if self._drawn else ""
        self._out.write(up + "".join(lines))
        self._out.flush()
        self._drawn = len(lines)


def describe(record: GetRequestResponse) -> str:
    """Where a request stands, in a few words."""
    if record.status == "queued" and record.queue_position:
        return f"queued, {record.queue_position} ahead"
    if record.error_text:
        return f"{record.status}: {record.error_text}"
    again = f", attempt {record.attempt}" if record.attempt > 1 and not record.is_final else ""
    return f"{record.stage or record.status}{again}"


def _line(row: _Row, width: int, now: float) -> str:
    full = round(WIDTH * row.percent / 100)
    seconds = (now if row.ended is None else row.ended) - row.started
    bar = "█" * full + "░" * (WIDTH - full)
    return f"{row.name:<{width}}  {bar} {row.percent:3d}%  {seconds:5.1f} s  {row.text}"[:118]
