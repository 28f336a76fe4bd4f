"""From an engine's phases to one percentage that never falls and stages that only go forward."""

import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists, sampled_from, tuples
from rushes.worker.progress import HIGHEST, Progress

PHASES = ["loading", "text", "denoise", "decode", "waiting", "running", "generating", "something new"]
shares = floats(allow_nan=False, allow_infinity=False, width=32)


def reported(*takes: tuple[str, float, float]) -> list[int]:
    progress, seen = Progress(clock=lambda: 0.0), []
    for take in takes:
        progress.take(*take)
        seen.append(progress.percent)
    return seen


@given(lists(tuples(sampled_from(PHASES), shares, shares)))
def test_progress_never_falls_and_never_says_done(takes: list[tuple[str, float, float]]) -> None:
    seen = reported(*takes)
    assert seen == sorted(seen)
    assert all(0 <= percent <= HIGHEST for percent in seen)


def test_the_phases_of_a_diffusion_model_follow_each_other() -> None:
    takes = [
        ("loading", 1, 1),
        ("text", 1, 1),
        ("denoise", 15, 30),
        ("denoise", 30, 30),
        ("decode", 1, 2),
        ("decode", 2, 2),
    ]
    assert reported(*takes) == [2, 4, 43, 82, 88, 94]


def test_the_phases_of_a_remote_engine_follow_each_other() -> None:
    assert reported(("waiting", 1, 2), ("running", 0, 1), ("running", 1, 2), ("running", 1, 1)) == [6, 10, 52, 94]


@pytest.mark.parametrize("total", [0, -1])
def test_a_total_of_nothing_is_no_division(total: float) -> None:
    assert reported(("denoise", 1, total)) == [4]


def test_stages_are_noted_once_with_the_time_they_began() -> None:
    times = iter([1.0, 2.0, 3.5, 9.0])
    progress = Progress(clock=lambda: next(times))
    for phase in ("loading", "loading", "denoise", "decode", "denoise"):
        progress.take(phase, 1, 2)
    progress.enter("encoding", 94)
    progress.take("decode", 2, 2)
    progress.enter("uploading", 97)
    assert progress.stages == [
        {"stage": "loading", "at": 1.0},
        {"stage": "generating", "at": 2.0},
        {"stage": "encoding", "at": 3.5},
        {"stage": "uploading", "at": 9.0},
    ]
    assert (progress.stage, progress.percent) == ("uploading", 97)
