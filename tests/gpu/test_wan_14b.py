"""Wan 2.1 T2V 14B at its real size: what our engine adds to the bare pipeline.

Only what has to hold is asserted; times are noted, and belong into docs/explanation/figures-gpu.md with their hardware.
"""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from engines.recording import RecordingControl, digest
from gpu.scale import Scale, bare_pipeline, engine_with
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled

Note = Callable[[str, str], None]


class Clocked(RecordingControl):
    """Notes when each report came."""

    def __init__(self, scratch: Path, *args: Any) -> None:
        super().__init__(scratch, *args)
        self.times: list[float] = []

    def progress(self, phase: str, done: float, total: float) -> None:
        self.times.append(time.monotonic())
        super().progress(phase, done, total)

    def at(self, phase: str, done: float) -> float:
        return next(at for at, report in zip(self.times, self.reports, strict=True) if report[:2] == (phase, done))


def synchronised() -> float:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


@pytest.fixture(scope="module")
def pipe(scale: Scale) -> Any:
    return bare_pipeline(scale)


@pytest.fixture(scope="module")
def engine(pipe: Any, scale: Scale) -> Iterator[DiffusersEngine]:
    engine = engine_with(pipe, scale)
    yield engine
    engine.unload(scale.card.id)


def called_bare(pipe: Any, scale: Scale, plan: Any) -> np.ndarray[Any, Any]:
    """The library by hand, down to uint8 frames on the host."""
    import torch

    pipe.set_progress_bar_config(disable=True)
    frames = pipe(
        prompt=plan.prompt,
        width=plan.width,
        height=plan.height,
        num_frames=plan.num_frames,
        num_inference_steps=scale.steps,
        guidance_scale=plan.extra["guidance"],
        generator=torch.Generator("cpu").manual_seed(plan.seed),
        output_type="np",
    ).frames[0]
    assert np.isfinite(frames).all(), "random weights gave no picture; nothing can be compared"
    return (frames * 255).round().astype(np.uint8)


def test_the_engine_adds_next_to_nothing_to_the_bare_pipeline(
    pipe: Any, engine: DiffusersEngine, scale: Scale, note: Note, tmp_path: Path
) -> None:
    plan = scale.plan(engine)
    bare, ours = [], []
    called_bare(pipe, scale, plan)
    for _ in range(3):  # in turns, so that both see the same clocks
        began = synchronised()
        expected = called_bare(pipe, scale, plan)
        bare.append(synchronised() - began)
        began = synchronised()
        frames = [frame.copy() for frame in engine.generate(plan, RecordingControl(tmp_path))]
        ours.append(synchronised() - began)
    assert np.abs(np.stack(frames).astype(int) - expected).max() <= 1
    ratio = median(ours) / median(bare)
    note("bare pipeline, seconds", f"{median(bare):.2f} for {scale.steps} steps of {scale.size} x {plan.num_frames}")
    note("our engine to the bare pipeline", f"{ratio:.3f}")
    note("streamed decode bit for bit the library's", str(np.array_equal(np.stack(frames), expected)))


def test_two_requests_in_a_row_leave_no_gap(engine: DiffusersEngine, scale: Scale, note: Note, tmp_path: Path) -> None:
    """From the last frame of one on the host to the first step of the next, its prompt read before."""
    plan = scale.plan(engine)
    gaps: list[float] = []
    ended = None
    for _ in range(4):
        control = Clocked(tmp_path)
        for _ in engine.generate(plan, control):
            pass
        if ended is not None:
            gaps.append(control.at("denoise", 0) - ended)
        ended = synchronised()
    note("gap between two queued requests, ms", ", ".join(f"{gap * 1000:.1f}" for gap in gaps))
    assert len(gaps) == 3


def test_a_cancel_takes_one_step_at_most_and_the_next_run_is_the_same(
    engine: DiffusersEngine, scale: Scale, note: Note, tmp_path: Path
) -> None:
    plan = scale.plan(engine)
    whole = Clocked(tmp_path)
    before = digest(engine.generate(plan, whole))
    steps = [at for at, report in zip(whole.times, whole.reports, strict=True) if report[0] == "denoise"]
    stopped = Clocked(tmp_path, lambda report: report[:2] == ("denoise", 2))
    with pytest.raises(Cancelled):
        engine.generate(plan, stopped)
    ended = synchronised()
    assert stopped.of("denoise")[-1][0] == 2
    note("seconds a step", f"{median(later - earlier for earlier, later in pairwise(steps)):.3f}")
    note("cancel to idle, seconds", f"{ended - stopped.times[-1]:.3f}")
    assert digest(engine.generate(plan, Clocked(tmp_path))) == before
