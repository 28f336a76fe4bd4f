"""The processes of a team: real ones, which speak the line and never import torch."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rushes.engines.diffusers.ranks import Ranks
from rushes.engines.engine import EngineLost, OutOfMemory, Unsupported

FAKE = """
import os, sys
from rushes.engines.diffusers.line import Line, LineClosed
line = Line(int(sys.argv[1]))
line.send("here", pid=os.getpid())
try:
    while True:
        order = line.receive()
        way = order["ways"].get(str(order["rank"]), "")
        if way == "exit":
            os._exit(7)
        if way == "fail":
            line.send("failed", code=order["code"], text="no room")
            os._exit(1)
        if way != "silent":
            line.send(order["kind"])
except LineClosed:
    pass
"""
LONG = 60.0


def nothing() -> None:
    pass


@pytest.fixture
def stuck() -> threading.Event:
    return threading.Event()


@pytest.fixture
def ranks(tmp_path: Path, stuck: threading.Event) -> Iterator[Ranks]:
    """Ranks 1 and 2, started."""
    (tmp_path / "fake.py").write_text(FAKE)
    ranks = Ranks(3, (sys.executable, str(tmp_path / "fake.py")), stuck.set, stuck_seconds=0)
    try:
        assert ranks.answers("Starting", LONG, nothing).keys() == {1, 2}
        yield ranks
    finally:
        ranks.kill()
        ranks.kill()


def told(ranks: Ranks, code: str = "", **ways: str) -> None:
    for rank in (1, 2):
        ranks.tell_one(rank, "go", rank=rank, code=code, ways={name[1:]: way for name, way in ways.items()})


def ended(ranks: Ranks) -> bool:
    """Whether every process is gone and was waited for."""
    for pid in ranks.pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        return False
    return True


def test_all_are_told_and_all_answer(ranks: Ranks) -> None:
    for _ in range(2):
        told(ranks)
        assert {rank: answer["kind"] for rank, answer in ranks.answers("Going", LONG, nothing).items()} == {
            1: "go",
            2: "go",
        }


def test_one_that_ends_is_named_and_ends_all(ranks: Ranks, stuck: threading.Event) -> None:
    told(ranks, r2="exit", r1="silent")
    with pytest.raises(EngineLost, match="Rank 2 of 3, the process of another GPU, ended with exit code 7"):
        ranks.answers("Going", LONG, nothing)
    assert ranks.lost
    with pytest.raises(EngineLost, match="exit code 7"):
        ranks.answers("Going", LONG, nothing)
    ranks.kill()
    assert ended(ranks)
    assert not stuck.is_set(), "rank 0 was in no call"


@pytest.mark.parametrize(
    ("code", "kind"), [("out_of_memory", OutOfMemory), ("engine_lost", EngineLost), ("odd", EngineLost)]
)
def test_what_a_rank_said_before_it_ended_is_why(ranks: Ranks, code: str, kind: type[Exception]) -> None:
    told(ranks, code, r1="fail", r2="silent")
    with pytest.raises(kind, match="rank 1: no room"):
        ranks.answers("Going", LONG, nothing)


def test_rank_0_is_called_out_of_a_call_that_lost_a_rank(ranks: Ranks, stuck: threading.Event) -> None:
    with ranks.inside():
        told(ranks, r1="exit", r2="silent")
        assert stuck.wait(LONG)


def test_one_that_says_nothing_is_not_waited_for_for_ever(ranks: Ranks) -> None:
    told(ranks, r1="silent", r2="silent")
    with pytest.raises(EngineLost, match="Going: no answer of rank 1, 2 of 3 within 0 s"):
        ranks.answers("Going", 0, nothing)


def test_who_waits_may_leave(ranks: Ranks) -> None:
    def leave() -> None:
        raise Unsupported("not wanted any more")

    told(ranks, r1="silent", r2="silent")
    with pytest.raises(Unsupported, match="not wanted any more"):
        ranks.answers("Going", LONG, leave)


def test_a_program_that_is_not_there_is_a_lost_engine(tmp_path: Path) -> None:
    with pytest.raises(EngineLost, match="could not be started"):
        Ranks(2, (str(tmp_path / "nothing"),))
