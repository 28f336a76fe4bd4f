"""Engine children as real processes: whatever they do costs one attempt, and the next run is fine."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from rushes.engines.engine import Cancelled, EngineError, EngineLost, InvalidInput, OutOfMemory
from rushes.media.encode import WrongFrames, encode
from rushes.worker.child import ChildFile, ChildFrames, DeadlinePassed, EngineChild, Order

from .conftest import descriptors, linux_only

Orders = Callable[..., Order]


def frames_of(child: EngineChild, order: Order) -> ChildFrames:
    frames = child.run(order)
    assert isinstance(frames, ChildFrames)
    return frames


def levels(frames: ChildFrames) -> list[int]:
    """The brightness of every frame, which must be the same in all its pixels."""
    found: list[int] = []
    for frame in frames:
        assert frame.min() == frame.max()
        found.append(int(frame[0].flat[0]))
    return found


def assert_next_run_is_fine(child: EngineChild, order: Orders) -> None:
    assert levels(frames_of(child, order(brightness=100))) == [100, 101, 102, 103]


# -- good runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuv420p"])
def test_frames_arrive_whole_and_in_order(child: EngineChild, order: Orders, pixel_format: str) -> None:
    frames = frames_of(child, order(frames=200, size=(64, 32), pixel_format=pixel_format, brightness=10))
    assert (frames.width, frames.height, frames.fps, frames.count) == (64, 32, 24, 200)
    assert levels(frames) == [(10 + n) % 256 for n in range(200)]
    assert frames.report is not None
    assert (frames.report.seed, frames.report.seconds) == (5, {"denoise": 1.5})


def test_a_clip_larger_than_the_ring_passes_through_it(child: EngineChild, order: Orders) -> None:
    """Forty frames of 6 MB: 64 MB of ring, used again and again."""
    assert levels(frames_of(child, order(frames=40, size=(1920, 1080)))) == list(range(40))


def test_a_warm_child_runs_plan_after_plan(child: EngineChild, order: Orders) -> None:
    pids: set[int | None] = set()
    for brightness in (0, 50, 100):
        frames = frames_of(child, order(brightness=brightness, frames=3, size=(16 + brightness, 16)))
        assert levels(frames) == [brightness, brightness + 1, brightness + 2]
        pids.add(child.pid)
    assert len(pids) == 1


def test_a_finished_file_is_handed_over(child: EngineChild, order: Orders, tmp_path: Path) -> None:
    result = child.run(order(way="file"))
    assert isinstance(result, ChildFile)
    assert result.path == tmp_path / "made.mp4"
    assert result.path.read_bytes() == b"a film"
    assert_next_run_is_fine(child, order)


def test_sound_comes_with_the_last_frame(child: EngineChild, order: Orders) -> None:
    frames = frames_of(child, order(way="sound"))
    assert frames.audio is None
    assert len(levels(frames)) == 4
    assert frames.audio is not None
    assert (frames.audio.samples.shape, frames.audio.rate) == ((480, 2), 48_000)


def test_a_flood_of_progress_drowns_nobody(child: EngineChild, order: Orders) -> None:
    heard: list[float] = []
    frames = frames_of(child, order(way="flood", on_progress=lambda _, done, __: heard.append(done)))
    assert len(levels(frames)) == 4
    assert len(heard) > 50_000


def test_a_reference_is_durable_before_the_engine_goes_on(child: EngineChild, order: Orders, tmp_path: Path) -> None:
    """Else a kill in between pays twice upstream."""
    kept: list[str] = []

    def keep(ref: str) -> None:
        threading.Event().wait(0.2)  # as long as a write may take
        assert not (tmp_path / "after").exists()
        kept.append(ref)

    assert len(levels(frames_of(child, order(way="remember", on_remember=keep)))) == 4
    assert kept == ["upstream-7"]
    assert (tmp_path / "after").exists()


# -- bad ends ---------------------------------------------------------------------------------------------------------


def test_a_killed_child_is_a_lost_engine(child: EngineChild, order: Orders) -> None:
    with pytest.raises(EngineLost, match="killed by SIGKILL"):
        levels(frames_of(child, order(way="killed")))
    assert not child.started
    assert_next_run_is_fine(child, order)


def test_a_child_that_exits_is_a_lost_engine(child: EngineChild, order: Orders) -> None:
    with pytest.raises(EngineLost, match="exit code 3"):
        child.run(order(way="exit"))
    assert_next_run_is_fine(child, order)


def test_a_child_that_takes_no_orders_is_ended(child: EngineChild, order: Orders) -> None:
    """Stopped, with an order larger than the line holds."""
    assert_next_run_is_fine(child, order)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(EngineLost, match="line"):
        child.run(order(note="x" * 2_000_000))
    assert not child.started
    assert_next_run_is_fine(child, order)


@pytest.mark.parametrize(
    ("way", "kind", "text"),
    [
        ("raise", EngineLost, "ZeroDivisionError: a bug"),
        ("memory", OutOfMemory, "out of memory"),
        ("invalid", InvalidInput, "too odd"),
    ],
)
def test_an_exception_costs_the_run_and_not_the_process(
    child: EngineChild, order: Orders, way: str, kind: type[EngineError], text: str
) -> None:
    child.start()
    pid = child.pid
    with pytest.raises(kind, match=text) as caught:
        child.run(order(way=way))
    assert caught.value.field == ("prompt" if way == "invalid" else None)
    assert_next_run_is_fine(child, order)
    assert child.pid == pid


@pytest.mark.parametrize("way", ["one pixel", "float"])
def test_a_frame_of_another_shape_or_kind_is_refused_and_not_stretched(
    child: EngineChild, order: Orders, way: str
) -> None:
    with pytest.raises(EngineLost, match=r"it announced \(16, 32, 3\) uint8"):
        levels(frames_of(child, order(way=way)))
    assert_next_run_is_fine(child, order)


def test_too_few_frames_are_noticed_by_the_encoder(child: EngineChild, order: Orders, tmp_path: Path) -> None:
    frames = frames_of(child, order(way="too few", frames=12))
    with pytest.raises(WrongFrames, match="10 of 12"):
        encode(frames, tmp_path / "film.mp4", keep_frames=12, comment="")
    assert_next_run_is_fine(child, order)


def test_an_encoder_that_fails_half_way_leaves_the_next_run_alone(child: EngineChild, order: Orders) -> None:
    frames = frames_of(child, order(frames=500, brightness=0))
    for _, _frame in zip(range(3), frames, strict=False):
        pass
    child.settle()
    assert not child.started, "it rendered for nobody"
    assert_next_run_is_fine(child, order)


def test_a_run_that_nobody_settled_is_not_mixed_with_the_next(child: EngineChild, order: Orders) -> None:
    frames_of(child, order(frames=500, brightness=0))
    assert_next_run_is_fine(child, order)


def test_a_listener_that_fails_in_a_run_leaves_the_next_run_alone(child: EngineChild, order: Orders) -> None:
    def refuse(_: str) -> None:
        raise ConnectionError("the database is away")

    with pytest.raises(ConnectionError):
        child.run(order(way="remember", on_remember=refuse))
    assert_next_run_is_fine(child, order)


# -- cancel and deadline ----------------------------------------------------------------------------------------------


def test_a_cancel_is_met_at_the_next_frame_and_the_child_stays(child: EngineChild, order: Orders) -> None:
    child.start()
    pid, stop = child.pid, threading.Event()
    with pytest.raises(Cancelled):
        for number, _ in enumerate(frames_of(child, order(frames=200_000, stop=stop))):
            if number == 3:
                stop.set()
    assert_next_run_is_fine(child, order)
    assert child.pid == pid


def test_a_cancel_before_the_run_is_not_forgotten(child: EngineChild, order: Orders) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        levels(frames_of(child, order(frames=200_000, stop=stop)))
    assert_next_run_is_fine(child, order)


def test_a_child_deaf_to_a_cancel_is_killed_after_its_grace(child: EngineChild, order: Orders) -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled):
        child.run(order(way="deaf", stop=stop, cancel_grace=0.2, on_progress=lambda *_: stop.set()))
    assert not child.started
    assert_next_run_is_fine(child, order)


def test_a_child_stopped_by_a_signal_ends_at_its_deadline(child: EngineChild, order: Orders) -> None:
    child.start()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(DeadlinePassed):
        child.run(order(seconds=0.3))
    assert time.monotonic() - began < 5
    assert not child.started
    assert_next_run_is_fine(child, order)


# -- coming, going, and what is left ----------------------------------------------------------------------------------


def test_an_engine_that_does_not_load_says_where_to_look(environment: dict[str, str], tmp_path: Path) -> None:
    child = EngineChild("broken", environment, tmp_path / "engine.log")
    with pytest.raises(EngineLost, match="its log says why"):
        child.start()
    assert not child.started
    assert "NoSuchEngine" in (tmp_path / "engine.log").read_text()


def test_a_child_warmed_up_while_it_is_wanted_starts_once(child: EngineChild, order: Orders) -> None:
    child.kill()
    with ThreadPoolExecutor(4) as threads:
        warming = [threads.submit(child.start) for _ in range(3)]
        running = threads.submit(lambda: levels(frames_of(child, order())))
        assert running.result() == [0, 1, 2, 3]
        for start in warming:
            start.result()
        assert_next_run_is_fine(child, order)
        child.kill()  # it would end with the thread that started it: prctl(2) means threads when it says parent


@linux_only
def test_fifty_runs_leave_no_open_files_and_no_memory_behind(child: EngineChild, order: Orders) -> None:
    assert_next_run_is_fine(child, order)
    assert child.pid is not None
    ours, theirs = descriptors(), descriptors(child.pid)
    mapped = psutil.Process().memory_info().shared
    for number in range(50):
        size = (64 + 2 * number, 64)
        frames = frames_of(child, order(size=size, frames=3, way="sound"))
        assert levels(frames) == [0, 1, 2]
    assert (descriptors(), descriptors(child.pid)) == (ours, theirs)
    assert psutil.Process().memory_info().shared - mapped < 8 << 20


@linux_only
def test_killed_and_replaced_children_leave_no_open_files_behind(child: EngineChild, order: Orders) -> None:
    assert_next_run_is_fine(child, order)
    before = descriptors()
    for _ in range(3):
        with pytest.raises(EngineLost):
            levels(frames_of(child, order(way="killed")))
        child.start()
    assert descriptors() == before


START_AND_WAIT = """
import os, sys
from rushes.worker.child import EngineChild
child = EngineChild("awkward", os.environ)
child.start()
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that has started a child and printed its number."""
    command = [sys.executable, "-c", START_AND_WAIT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


@linux_only
def test_a_child_ends_with_its_qworker(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    watched = os.pidfd_open(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    ended, _, _ = select.select([watched], [], [], 5)
    os.close(watched)
    assert ended
