"""`make demo`, as a user runs it: two videos, or one clear sentence; never a platform left behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import av
import psutil
import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The demo in a folder of its own, so the repository's demo/ is left alone."""
    examples = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", examples, ignore=shutil.ignore_patterns("__pycache__"))
    return examples / "demo.py"


def platforms(folder: str) -> list[int]:
    """Processes that work in a demo's data folder."""
    found: list[int] = []
    for process in psutil.process_iter(["cmdline"]):
        if any(folder in word for word in process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def test_the_demo_makes_two_videos_that_play(copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = subprocess.run([sys.executable, copy], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("image-to-video", "text-to-video"):
        with av.open(tmp_path / "demo" / f"{name}.mp4") as video:
            frames = sum(1 for _ in video.decode(video=0))
            seconds = frames / float(video.streams.video[0].average_rate or 1)
        assert seconds == pytest.approx(5, abs=0.1)
        assert (tmp_path / "demo" / f"{name}.jpg").read_bytes().startswith(b"\xff\xd8\xff")
        assert f"demo/{name}.mp4" in done.stdout
    assert "rendered by the engine animatic" in done.stdout
    assert platforms(str(tmp_path)) == []


def test_without_a_photograph_the_demo_says_so(copy: Path) -> None:
    shutil.rmtree(copy.parent / "pictures")
    done = subprocess.run([sys.executable, copy], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The demo failed: there is no photograph in")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_an_interrupted_demo_stops_its_platform(
    copy: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with subprocess.Popen([sys.executable, copy], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert demo.stdout.readline().startswith("Starting")
        assert demo.stdout.readline().startswith("Ready at")
        assert platforms(str(tmp_path))
        demo.send_signal(number)
        assert demo.wait(60) == 1
        assert "Interrupted; the platform is stopped." in demo.stderr.read()
    assert platforms(str(tmp_path)) == []
