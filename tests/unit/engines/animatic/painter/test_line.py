"""Two hands at one scene: the same frames as one hand, in order, and no thread left behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from rushes.engines.animatic.painter import Scene
from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.line import frames


@pytest.mark.parametrize(
    "prompt",
    [
        "a sailing boat on the ocean at dawn", "a ringed planet and a spaceship", "a fox in the snow, snow falling",
        "a neon street in the rain", "aurora over a lake, push in", "a teapot", "clouds in the sky",
        "a horse in a windy wheat field", "a couple on the beach",
    ],
)  # fmt: skip
def test_two_hands_paint_the_bytes_of_one(prompt: str) -> None:
    alone, together = (Scene(prompt, 128, 72, 7, 24, 5) for _ in range(2))
    pairs = list(zip((alone.frame(i) for i in range(7)), together.frames(), strict=True))
    assert len(pairs) == 7
    assert all(np.array_equal(one, two) for one, two in pairs)


class _Recorded:
    """A pass that writes down what it was asked for, and fails at a frame if told to."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked: list[int] = []
        self._fails_at = fails_at

    def paint(self, canvas: Canvas, i: int) -> None:
        self.asked.append(i)
        if i == self._fails_at:
            raise ValueError(f"frame {i}")


def _hands() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("far passes")]


@pytest.mark.parametrize("count", [0, 1, 2, 9])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_every_pass_sees_every_frame_once_and_in_order(count: int, number: int) -> None:
    passes = [_Recorded() for _ in range(number)]
    assert len(list(frames(passes, 16, 16, count))) == count
    assert all(part.asked == list(range(count)) for part in passes)
    assert not _hands()


@pytest.mark.parametrize("which", [0, 3])
def test_what_a_pass_raises_reaches_the_caller_from_either_hand(which: int) -> None:
    passes = [_Recorded(5 if n == which else None) for n in range(4)]
    with pytest.raises(ValueError, match="frame 5"):
        list(frames(passes, 16, 16, 9))
    assert not _hands()


def test_a_line_closed_half_way_leaves_no_thread() -> None:
    line = frames([_Recorded(), _Recorded()], 16, 16, 90)
    next(line)
    next(line)
    line.close()
    assert not _hands()
