"""Two hands at one scene: the far passes of the next frame are painted while the near ones of this frame are.

Every pass stays with one hand and sees its frames in order, so nothing is shared but the canvas that is handed on, and
the bytes are those of one hand alone.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.canvas import Canvas, Pass

Frame = NDArray[np.uint8]


def frames(passes: Sequence[Pass], width: int, height: int, count: int) -> Generator[Frame, None, None]:
    """All frames in order, each a new array. Closing the iterator ends the second hand."""
    if count <= 0:
        return
    canvas = Canvas(width, height)
    seconds = [_timed(part, canvas, 0) for part in passes]
    yield canvas.frame()
    cut = _middle(seconds)
    far, near = passes[:cut], passes[cut:]
    with ThreadPoolExecutor(1, thread_name_prefix="far passes") as hand:
        spare = Canvas(width, height)
        coming: Future[None] | None = hand.submit(_paint, far, spare, 1) if count > 1 else None
        for i in range(1, count):
            canvas, spare = spare, canvas
            if coming is not None:
                coming.result()
            coming = hand.submit(_paint, far, spare, i + 1) if i + 1 < count else None
            _paint(near, canvas, i)
            yield canvas.frame()


def _paint(passes: Sequence[Pass], canvas: Canvas, i: int) -> None:
    for part in passes:
        part.paint(canvas, i)


def _timed(part: Pass, canvas: Canvas, i: int) -> float:
    started = time.perf_counter()
    part.paint(canvas, i)
    return time.perf_counter() - started


def _middle(seconds: Sequence[float]) -> int:
    """The number of passes that take about half of the time, at least one where there are two."""
    sums = np.cumsum(seconds)
    cut = int(np.argmin(np.abs(sums - sums[-1] / 2))) + 1 if len(seconds) else 0
    return min(max(cut, 1), max(len(seconds) - 1, 0))
