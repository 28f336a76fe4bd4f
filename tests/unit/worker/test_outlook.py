"""From progress to a guess that the engine will soon be free."""

from collections.abc import Iterable

import pytest
from rushes.worker.outlook import Outlook


def told_at(reports: Iterable[tuple[str, int]], seconds_each: float) -> list[int]:
    """The percentages at which it was told, with so much time between two reports."""
    now = 0.0
    outlook, told = Outlook(clock=lambda: now), list[int]()
    for phase, percent in reports:
        now += seconds_each
        if outlook.soon(phase, percent):
            told.append(percent)
    return told


STEADY = [("denoise", percent) for percent in range(4, 83, 2)]


def test_a_long_run_is_foreseen_when_only_decoding_is_left() -> None:
    assert told_at([*STEADY, ("decode", 82), ("decode", 90)], seconds_each=10) == [82]


def test_a_steady_run_is_foreseen_some_seconds_before_its_end() -> None:
    (percent,) = told_at([("generating", percent) for percent in range(2, 95)], seconds_each=0.5)
    assert (94 - percent) * 0.5 <= 5.0 < (96 - percent) * 0.5


def test_a_short_run_is_foreseen_as_soon_as_it_shows_its_pace() -> None:
    (percent,) = told_at([("generating", percent) for percent in range(2, 95)], seconds_each=0.001)
    assert 20 <= percent <= 25


def test_a_quick_start_does_not_mean_a_quick_end() -> None:
    """Encoding the text takes no time, loading tells nothing; the first step has not been done."""
    assert told_at([("loading", 0), ("loading", 2), ("text", 2), ("text", 4), ("denoise", 5)], seconds_each=0.01) == []


@pytest.mark.parametrize("phase", ["generating", "running", "something new"])
def test_it_is_told_once(phase: str) -> None:
    assert len(told_at([(phase, percent) for percent in (2, 50, 50, 94, 94)], seconds_each=0.1)) == 1
