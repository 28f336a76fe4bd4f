"""One request rendered by two ranks, over gloo on the CPU: the frames, the cancel, and every way in which it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines.cases import Case
from engines.processes import alive, await_end
from engines.recording import RecordingControl, digest
from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.diffusers.folder import check_folder
from rushes.engines.diffusers.tuning import read_tuning
from rushes.engines.engine import Cancelled, EngineLost, InvalidInput, OutOfMemory
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Tiny = Callable[[str], Path]
CASE = Case("wan-22-t2v", "wan")
LTX = Case("ltx", "ltx", "required")
OTHERS = [Case("wan-i2v", "wan", "required"), LTX]
TWO = {"context_parallel": {"gpus": 2}}

pytestmark = [pytest.mark.timeout(600), pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


def engine_of(folder: Path) -> DiffusersEngine:
    return DiffusersEngine(Setup("diffusers", {"weights": str(folder)}))


def card_of(case: Case, **options: Any) -> ModelCard:
    return weights_card(case.family, picture=case.picture, model=str(case), **TWO, **options)


def model_of(engine: DiffusersEngine, name: str) -> Any:
    """A loaded model."""
    assert engine._shelf is not None
    model = engine._shelf.get(name)
    assert model is not None
    return model


def pids_of(engine: DiffusersEngine, name: str) -> list[int]:
    """The other ranks of a loaded model."""
    return model_of(engine, name).team.pids


@pytest.fixture(scope="module")
def engine(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiffusersEngine]:
    """For all tests, because a process is in one team at a time; most of them use the team of another."""
    folders = tmp_path_factory.mktemp("folders")
    for case in (CASE, *OTHERS):
        (folders / str(case)).symlink_to(tiny(case.folder), target_is_directory=True)
    engine = engine_of(folders)
    yield engine
    for model in engine.health().loaded:
        engine.unload(model)


@pytest.fixture(scope="module")
def alone(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Fingerprint and frames of one process."""
    import torch

    torch.set_num_threads(1)
    control = RecordingControl(tmp_path_factory.mktemp("alone"))
    engine = engine_of(tiny(CASE.folder))
    fingerprint = engine.load(CASE.card, control).fingerprint
    return fingerprint, digest(engine.generate(CASE.plan(engine, ""), control))


def test_two_ranks_give_the_frames_of_one_and_count_the_same_steps(
    engine: DiffusersEngine, alone: tuple[str, str], control: RecordingControl
) -> None:
    loaded = engine.load(card_of(CASE), control)
    frames = engine.generate(CASE.plan(engine, "", card_of(CASE)), control)
    assert digest(frames) == alone[1]
    assert loaded.fingerprint != alone[0], "how many share it is part of what made it"
    assert control.of("denoise") == [(done, 3) for done in range(4)]
    assert frames.report.peak_bytes > 0
    assert digest(engine.generate(CASE.plan(engine, "", card_of(CASE)), control)) == alone[1], "the second on one team"


def test_a_cancel_at_a_step_ends_the_run_on_all_ranks_and_the_next_run_is_the_same(
    engine: DiffusersEngine, alone: tuple[str, str], control: RecordingControl, tmp_path: Path
) -> None:
    engine.load(card_of(CASE), control)
    plan, pids = CASE.plan(engine, "", card_of(CASE)), pids_of(engine, str(CASE))
    for step in (0, 2):
        stopped = RecordingControl(tmp_path, lambda report, step=step: report[:2] == ("denoise", step))
        with pytest.raises(Cancelled):
            engine.generate(plan, stopped)
        assert stopped.of("denoise")[-1][0] == step
    assert digest(engine.generate(plan, control)) == alone[1]
    assert pids_of(engine, str(CASE)) == pids, "the team is the one from before"


def test_a_size_that_cannot_be_divided_is_the_customers_fault_and_the_team_goes_on(
    engine: DiffusersEngine, alone: tuple[str, str], control: RecordingControl
) -> None:
    engine.load(card_of(CASE), control)
    pids = pids_of(engine, str(CASE))
    with pytest.raises(InvalidInput, match="75 parts of a picture"):
        engine.generate(CASE.plan(engine, "", card_of(CASE), size="80x80", duration=0.5), control)
    assert digest(engine.generate(CASE.plan(engine, "", card_of(CASE)), control)) == alone[1]
    assert pids_of(engine, str(CASE)) == pids


def test_a_rank_that_is_killed_in_mid_run_ends_the_team_and_a_new_one_works(
    engine: DiffusersEngine, alone: tuple[str, str], control: RecordingControl, tmp_path: Path
) -> None:
    engine.load(card_of(CASE), control)
    plan, (pid,) = CASE.plan(engine, "", card_of(CASE)), pids_of(engine, str(CASE))

    def kill(report: tuple[str, float, float]) -> bool:
        if report[:2] == ("denoise", 1):
            os.kill(pid, signal.SIGKILL)
            await_end(pid)
        return False

    with pytest.raises(EngineLost, match="the process of another GPU, was killed by SIGKILL") as lost:
        engine.generate(plan, RecordingControl(tmp_path, kill))
    assert lost.value.spent
    assert engine.health().loaded == ()
    engine.load(card_of(CASE), control)
    assert pids_of(engine, str(CASE)) != [pid]
    assert digest(engine.generate(plan, control)) == alone[1]


def test_a_rank_that_is_killed_between_two_runs_is_replaced_before_the_next(
    engine: DiffusersEngine, alone: tuple[str, str], control: RecordingControl
) -> None:
    engine.load(card_of(CASE), control)
    (pid,) = pids_of(engine, str(CASE))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineLost, match="SIGKILL"):
        model_of(engine, str(CASE)).team._ranks.answers("Waiting", 300, lambda: None)  # until its end was noticed
    engine.load(card_of(CASE), control)
    assert digest(engine.generate(CASE.plan(engine, "", card_of(CASE)), control)) == alone[1]


def test_a_failure_of_rank_0_alone_ends_the_team(engine: DiffusersEngine, control: RecordingControl) -> None:
    engine.load(card_of(CASE), control)
    model_of(engine, str(CASE)).team.apart_seconds = 0  # rank 1 waits for rank 0, however long it is given
    (pid,) = pids_of(engine, str(CASE))

    def fail(report: tuple[str, float, float]) -> bool:
        return report[0] == "denoise" and 1 / (2 - report[1]) < 0

    failing = RecordingControl(control.scratch, fail)
    with pytest.raises(EngineLost, match="ZeroDivisionError") as lost:
        engine.generate(CASE.plan(engine, "", card_of(CASE)), failing)
    assert lost.value.spent
    assert not alive(pid)
    assert engine.health().loaded == ()


def test_a_failure_of_decoding_is_rank_0s_own_and_leaves_the_team_whole(
    engine: DiffusersEngine, control: RecordingControl, picture: str
) -> None:
    engine.load(card_of(LTX), control)
    plan, pids = LTX.plan(engine, picture, card_of(LTX)), pids_of(engine, str(LTX))
    before = digest(engine.generate(plan, control))
    vae = model_of(engine, str(LTX)).pipe.vae

    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    vae.decode = full
    try:
        with pytest.raises(OutOfMemory) as told:
            engine.generate(plan, control)
    finally:
        del vae.decode
    assert not told.value.spent
    assert pids_of(engine, str(LTX)) == pids
    vae.disable_tiling()  # a full memory is met with tiles, which have other bytes
    assert digest(engine.generate(plan, control)) == before


def test_an_unload_leaves_no_process_behind(engine: DiffusersEngine, control: RecordingControl) -> None:
    engine.load(card_of(CASE), control)
    (pid,) = pids_of(engine, str(CASE))
    engine.unload(str(CASE))
    assert not alive(pid)


PARENT = """
import sys, time
from pathlib import Path
sys.path[:0] = {path}
from engines.recording import RecordingControl
from engines.test_team import CASE, card_of, engine_of, pids_of
engine = engine_of(Path({folder!r}))
engine.load(card_of(CASE), RecordingControl(Path({scratch!r})))
print(*pids_of(engine, str(CASE)), flush=True)
time.sleep(3600)
"""


def test_no_rank_outlives_rank_0(tiny: Tiny, tmp_path: Path) -> None:
    source = PARENT.format(path=sys.path, folder=str(tiny(CASE.folder)), scratch=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert alive(pid)
        finally:
            parent.kill()
    await_end(pid)


@pytest.mark.parametrize("case", OTHERS, ids=str)
def test_other_families_are_divided_too_and_end_the_team_before(
    case: Case, engine: DiffusersEngine, tiny: Tiny, control: RecordingControl, picture: str
) -> None:
    single = engine_of(tiny(case.folder))
    single.load(case.card, control)
    expected = digest(single.generate(case.plan(single, picture), control))
    engine.load(card_of(CASE), control)
    (before,) = pids_of(engine, str(CASE))
    engine.load(card_of(case), control)
    assert not alive(before)
    assert engine.health().loaded == (str(case),)
    assert digest(engine.generate(case.plan(engine, picture, card_of(case)), control)) == expected


def test_a_team_that_does_not_come_together_in_time_is_given_up(tiny: Tiny, control: RecordingControl) -> None:
    import torch
    from rushes.engines.diffusers.team import Team

    team = Team(read_tuning(card_of(CASE)), torch.device("cpu"), start_seconds=0)  # torch takes seconds to import
    try:
        with pytest.raises(EngineLost, match="Starting the team: no answer of rank 1 of 2 within 0 s"):
            team.load(str(CASE), check_folder(tiny(CASE.folder)), control)
    finally:
        team.close()
    assert not any(map(alive, team.pids))
