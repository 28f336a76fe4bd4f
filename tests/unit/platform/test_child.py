"""A process that is started again: the back-off on a clock of numbers, the processes real."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rushes.platform.child import Backoff, ChildProcess


def test_the_wait_doubles_to_five_seconds_and_starts_over_after_ten_good_ones() -> None:
    backoff = Backoff()
    assert [backoff.after(lived=1) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert backoff.after(lived=9.9) == 5.0
    assert backoff.after(lived=10) == 0.1


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    """A process that waits for ever."""
    program = [sys.executable, "-S", "-c", "print('begun', flush=True); import signal; signal.pause()"]
    child = ChildProcess("test", program, dict(os.environ), (), tmp_path / "test.log")
    yield child
    child.kill()


def wait_for_end(child: ChildProcess) -> None:
    assert child.pid is not None
    descriptor = os.pidfd_open(child.pid)
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)


def test_a_living_process_is_left_alone(child: ChildProcess) -> None:
    child.start(now=0)
    pid = child.pid
    assert child.look_after(now=1) is None
    assert child.pid == pid
    assert child.deaths == 0


def test_a_dead_process_is_started_when_its_wait_is_over_and_not_before(child: ChildProcess) -> None:
    child.start(now=0)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for_end(child)
    assert child.look_after(now=5) == pytest.approx(5.1)
    assert (child.deaths, child.last_status, child.pid) == (1, -signal.SIGKILL, None)
    assert child.look_after(now=5.09) == pytest.approx(5.1)
    assert child.look_after(now=5.1) is None
    assert child.pid not in (None, first)


def test_a_kill_ends_the_process_and_its_own_children(tmp_path: Path) -> None:
    program = (
        "import signal, subprocess, sys; wait = 'import signal; signal.pause()';"
        "child = subprocess.Popen([sys.executable, '-S', '-c', wait]);"
        "open(sys.argv[1], 'w').write(str(child.pid)); signal.pause()"
    )
    os.mkfifo(tmp_path / "pid")
    command = [sys.executable, "-S", "-c", program, str(tmp_path / "pid")]
    parent = ChildProcess("test", command, dict(os.environ), (), tmp_path / "test.log")
    parent.start(now=0)
    grandchild = os.pidfd_open(int((tmp_path / "pid").read_text()))
    parent.kill()
    assert parent.has_ended()
    assert select.select([grandchild], [], [], 10)[0]
    os.close(grandchild)


def test_stop_and_kill_before_a_start_do_nothing(child: ChildProcess) -> None:
    child.ask_to_stop()
    child.kill()
    assert child.has_ended()
    assert child.look_after(now=0) is None


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; print('first'); sys.exit('no such thing')", "no such thing"),
        ("import sys; sys.exit('rushes: one sentence')", "one sentence"),
        ("print('ValueError: the cause'); print('Startup failed. Exiting.'); exit(3)", "ValueError: the cause"),
        ("exit(1)", "it said nothing"),
    ],
)
def test_the_last_words_are_the_last_error_or_line_of_the_log(tmp_path: Path, program: str, words: str) -> None:
    command = [sys.executable, "-c", program]
    child = ChildProcess("test", command, dict(os.environ), (), tmp_path / "test.log")
    child.start(now=0)
    wait_for_end(child)
    assert child.last_words() == words
    child.look_after(now=0)
