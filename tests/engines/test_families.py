"""Every family, from folder to frames: what comes out is what the plan says, and comes again from the same seed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from engines.cases import CASES, Case
from engines.recording import RecordingControl, digest
from rushes.engines.diffusers.engine import DiffusersEngine

Engines = Callable[[str], DiffusersEngine]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_family_renders_what_its_plan_says_and_the_same_seed_gives_the_same_bytes(
    case: Case, engines: Engines, picture: str, control: RecordingControl
) -> None:
    engine = engines(case.folder)
    loaded = engine.load(case.card, control)
    assert loaded.bytes > 0
    plan = case.plan(engine, picture)
    frames = engine.generate(plan, control)
    first = list(frames)
    assert len(first) == frames.count == plan.num_frames
    assert all(frame.shape == (plan.height, plan.width, 3) and frame.dtype == np.uint8 for frame in first)
    assert frames.report.seed == plan.seed
    assert frames.report.fingerprint == loaded.fingerprint
    assert frames.report.peak_bytes > 0
    again = RecordingControl(control.scratch)
    assert digest(engine.generate(plan, again)) == digest(first)
    assert digest(engine.generate(replace(plan, seed=6), again)) != digest(first)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_step_is_reported_and_progress_never_goes_back(
    case: Case, engines: Engines, picture: str, control: RecordingControl
) -> None:
    engine = engines(case.folder)
    engine.load(case.card, control)
    control.reports.clear()
    for _ in engine.generate(case.plan(engine, picture), control):
        pass
    assert control.of("denoise") == [(done, 3) for done in range(4)]
    phases = [phase for phase, _, _ in control.reports]
    assert phases == sorted(phases, key=["text", "denoise", "decode"].index)
    decoded = control.of("decode")
    assert decoded == sorted(decoded)
    assert decoded[-1][0] == decoded[-1][1]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_cancel_at_any_step_comes_out_at_once_and_leaves_nothing_behind(
    case: Case, engines: Engines, picture: str, control: RecordingControl
) -> None:
    from rushes.engines.engine import Cancelled

    engine = engines(case.folder)
    engine.load(case.card, control)
    plan = case.plan(engine, picture)
    before = digest(engine.generate(plan, control))
    for step in (0, 2):
        stopped = RecordingControl(control.scratch, lambda report, step=step: report[:2] == ("denoise", step))
        with pytest.raises(Cancelled):
            list(engine.generate(plan, stopped))
        assert stopped.of("denoise")[-1] == (step, 3)
    assert digest(engine.generate(plan, control)) == before


def test_sound_is_as_long_as_the_frames_that_are_kept(engines: Engines, control: RecordingControl) -> None:
    case = Case("ltx-2", "ltx-2")
    engine = engines(case.folder)
    engine.load(case.card, control)
    plan = case.plan(engine, "", duration=0.25)
    frames = engine.generate(plan, control)
    list(frames)
    assert frames.audio is not None
    assert frames.audio.rate == 16_000
    assert frames.audio.samples.dtype == np.float32
    assert frames.audio.samples.shape[1] == 2
    assert 0 < frames.audio.samples.shape[0] <= 0.25 * 16_000
    assert np.abs(frames.audio.samples).max() <= 1
    silent = engine.generate(replace(plan, sound=False), control)
    list(silent)
    assert silent.audio is None
