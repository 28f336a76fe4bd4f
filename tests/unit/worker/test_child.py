"""Engine children as real processes: whatever they do costs one attempt, and the next run is fine."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from rushes.engines.engine import Busy, Cancelled, EngineError, EngineLost, InvalidInput, OutOfMemory
from rushes.media.encode import WrongFrames, encode
from rushes.worker.child import ChildFile, ChildFrames, DeadlinePassed, EngineChild, Order

from .conftest import descriptors, linux_only

Orders = Callable[..., Order]


T = TypeVar("T")


def read_beside(child: EngineChild, order: Order, read: Callable[[ChildFrames], T]) -> tuple[ChildFrames, T]:
    """Run an order, its frames read in another thread; they, and what `read` made of them."""
    reading: list[tuple[ChildFrames, Future[T]]] = []

    def on_frames(frames: ChildFrames) -> None:
        reading.append((frames, readers.submit(read, frames)))

    with ThreadPoolExecutor(1) as readers:
        assert child.run(replace(order, on_frames=on_frames)) is None
        ((frames, result),) = reading
        return frames, result.result()


def levels(frames: ChildFrames) -> list[int]:
    """The brightness of every frame, which must be the same in all its pixels."""
    found: list[int] = []
    for frame in frames:
        assert frame.min() == frame.max()
        found.append(int(frame[0].flat[0]))
    return found


def levels_of(child: EngineChild, order: Order) -> list[int]:
    return read_beside(child, order, levels)[1]


def assert_next_run_is_fine(child: EngineChild, order: Orders) -> None:
    assert levels_of(child, order(brightness=100)) == [100, 101, 102, 103]


# -- good runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuv420p"])
def test_frames_arrive_whole_and_in_order(child: EngineChild, order: Orders, pixel_format: str) -> None:
    given = order(frames=200, size=(64, 32), pixel_format=pixel_format, brightness=10)
    frames, found = read_beside(child, given, levels)
    assert (frames.width, frames.height, frames.fps, frames.count) == (64, 32, 24, 200)
    assert found == [(10 + n) % 256 for n in range(200)]
    assert frames.report is not None
    assert (frames.report.seed, frames.report.seconds) == (5, {"denoise": 1.5})


def test_a_clip_larger_than_the_ring_passes_through_it(child: EngineChild, order: Orders) -> None:
    """Forty frames of 6 MB: 64 MB of ring, used again and again."""
    assert levels_of(child, order(frames=40, size=(1920, 1080))) == list(range(40))


def test_a_warm_child_runs_plan_after_plan(child: EngineChild, order: Orders) -> None:
    pids: set[int | None] = set()
    for brightness in (0, 50, 100):
        given = order(brightness=brightness, frames=3, size=(16 + brightness, 16))
        assert levels_of(child, given) == [brightness, brightness + 1, brightness + 2]
        pids.add(child.pid)
    assert len(pids) == 1


def test_a_finished_file_is_handed_over(child: EngineChild, order: Orders, tmp_path: Path) -> None:
    result = child.run(order(way="file"))
    assert isinstance(result, ChildFile)
    assert result.path == tmp_path / "made.mp4"
    assert result.path.read_bytes() == b"a film"
    assert_next_run_is_fine(child, order)


def test_sound_comes_with_the_last_frame(child: EngineChild, order: Orders) -> None:
    frames, found = read_beside(child, order(way="sound"), levels)
    assert len(found) == 4
    assert frames.audio is not None
    assert (frames.audio.samples.shape, frames.audio.rate) == ((480, 2), 48_000)


def test_a_flood_of_progress_drowns_nobody(child: EngineChild, order: Orders) -> None:
    heard: list[float] = []
    assert len(levels_of(child, order(way="flood", on_progress=lambda _, done, __: heard.append(done)))) == 4
    assert len(heard) > 50_000


def test_a_reference_is_durable_before_the_engine_goes_on(child: EngineChild, order: Orders, tmp_path: Path) -> None:
    """Else a kill in between pays twice upstream."""
    kept: list[str] = []

    def keep(ref: str) -> None:
        threading.Event().wait(0.2)  # as long as a write may take
        assert not (tmp_path / "after").exists()
        kept.append(ref)

    assert len(levels_of(child, order(way="remember", on_remember=keep))) == 4
    assert kept == ["upstream-7"]
    assert (tmp_path / "after").exists()


# -- the engine goes on while its frames are read ---------------------------------------------------------------------


def unread(child: EngineChild, order: Order) -> ChildFrames:
    """The frames of a run that has ended before anybody read one."""
    opened: list[ChildFrames] = []
    assert child.run(replace(order, on_frames=opened.append)) is None
    return opened[0]


def test_frames_outlast_the_runs_after_theirs(child: EngineChild, order: Orders) -> None:
    """The engine is free with its last frame: three clips lie unread, and none has touched another."""
    clips = [unread(child, order(brightness=brightness, frames=20)) for brightness in (0, 60, 120)]
    assert_next_run_is_fine(child, order)
    for clip, brightness in zip(clips, (0, 60, 120), strict=True):
        assert levels(clip) == list(range(brightness, brightness + 20))


def test_frames_outlast_the_engine_that_made_them(child: EngineChild, order: Orders) -> None:
    frames = unread(child, order(way="sound"))
    child.kill()
    assert levels(frames) == [0, 1, 2, 3]
    assert frames.audio is not None


def test_frames_read_late_free_no_slot_of_the_next_clip(child: EngineChild, order: Orders) -> None:
    """Both clips are larger than their rings. A slot freed too early would be written before it was read."""
    late: list[list[int]] = []

    def read_half(frames: ChildFrames) -> None:
        reading = iter(frames)
        late.append([int(next(reading).flat[0]) for _ in range(20)])
        readers.submit(lambda: late[0].extend(int(frame.flat[0]) for frame in reading))

    with ThreadPoolExecutor(2) as readers:
        for _ in range(2):
            assert levels_of(child, order(frames=80, size=(1280, 720))) == list(range(80))
        read_beside(child, order(frames=25, size=(1920, 1080)), read_half)
        assert levels_of(child, order(frames=40, size=(1920, 1080))) == list(range(40))
    assert late[0] == list(range(25))


def test_a_reader_that_leaves_stops_the_engine_and_the_child_stays(child: EngineChild, order: Orders) -> None:
    child.start()
    pid = child.pid

    def leave_early(frames: ChildFrames) -> None:
        next(iter(frames))
        frames.leave()

    with pytest.raises(Cancelled):
        read_beside(child, order(frames=200_000), leave_early)
    assert_next_run_is_fine(child, order)
    assert child.pid == pid


# -- bad ends ---------------------------------------------------------------------------------------------------------


def test_a_killed_child_is_a_lost_engine(child: EngineChild, order: Orders) -> None:
    with pytest.raises(EngineLost, match="killed by SIGKILL"):
        levels_of(child, order(way="killed"))
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


def test_a_process_that_says_it_is_spent_is_replaced(child: EngineChild, order: Orders) -> None:
    child.start()
    pid = child.pid
    with pytest.raises(EngineLost, match="a rank is gone"):
        child.run(order(way="spent"))
    assert not child.started
    assert_next_run_is_fine(child, order)
    assert child.pid != pid


@pytest.mark.parametrize("way", ["one pixel", "float"])
def test_a_frame_of_another_shape_or_kind_is_refused_and_not_stretched(
    child: EngineChild, order: Orders, way: str
) -> None:
    with pytest.raises(EngineLost, match=r"it announced \(16, 32, 3\) uint8"):
        levels_of(child, order(way=way))
    assert_next_run_is_fine(child, order)


def test_too_few_frames_are_noticed_by_the_encoder(child: EngineChild, order: Orders, tmp_path: Path) -> None:
    def film(frames: ChildFrames) -> None:
        encode(frames, tmp_path / "film.mp4", keep_frames=12, comment="")

    with pytest.raises(WrongFrames, match="10 of 12"):
        read_beside(child, order(way="too few", frames=12), film)
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

    def stop_at_the_third(frames: ChildFrames) -> None:
        for number, _ in enumerate(frames):
            if number == 3:
                stop.set()

    with pytest.raises(Cancelled):
        read_beside(child, order(frames=200_000, stop=stop), stop_at_the_third)
    assert_next_run_is_fine(child, order)
    assert child.pid == pid


def test_a_cancel_before_the_run_is_not_forgotten(child: EngineChild, order: Orders) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        levels_of(child, order(frames=200_000, stop=stop))
    assert_next_run_is_fine(child, order)


@pytest.mark.parametrize("for_good", [True, False])
def test_an_engine_hears_whether_the_customer_cancelled(child: EngineChild, order: Orders, for_good: bool) -> None:
    """Only then may it stop what it began elsewhere."""
    stop, good = threading.Event(), threading.Event()
    if for_good:
        good.set()

    def stop_at_work(phase: str, *_: float) -> None:
        if phase == "denoise":
            stop.set()

    with pytest.raises(EngineLost, match=f"cancelled for good: {for_good}"):
        child.run(order(way="why", stop=stop, for_good=good, on_progress=stop_at_work))
    assert_next_run_is_fine(child, order)


def test_a_full_server_is_told_of_with_its_own_patience(child: EngineChild, order: Orders) -> None:
    with pytest.raises(Busy, match="the server is full") as full:
        child.run(order(way="busy"))
    assert (full.value.retry_after, full.value.hold) == (7, True)
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
        running = threads.submit(lambda: levels_of(child, order()))
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
        assert levels_of(child, order(size=size, frames=3, way="sound")) == [0, 1, 2]
    assert (descriptors(), descriptors(child.pid)) == (ours, theirs)
    assert psutil.Process().memory_info().shared - mapped < 8 << 20


@linux_only
def test_killed_and_replaced_children_leave_no_open_files_behind(child: EngineChild, order: Orders) -> None:
    assert_next_run_is_fine(child, order)
    before = descriptors()
    for _ in range(3):
        with pytest.raises(EngineLost):
            levels_of(child, order(way="killed"))
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
