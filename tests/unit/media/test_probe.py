"""probe and verify: the file itself is asked, never what somebody says about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from rushes.media.encode import encode
from rushes.media.probe import NotAsPlanned, probe, suits, verify


@dataclass(frozen=True)
class Promised:
    keep_frames: int = 24
    fps: int = 24
    sound: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])


@pytest.fixture
def video(tmp_path: Path, ramp: Any) -> Path:
    encode(ramp(), tmp_path / "video.mp4", keep_frames=24, comment="c")
    return tmp_path / "video.mp4"


@pytest.fixture
def sounding(tmp_path: Path, ramp: Any, a_tone: Any) -> Path:
    encode(ramp(audio=a_tone(1.0)), tmp_path / "sounding.mp4", keep_frames=24, comment="")
    return tmp_path / "sounding.mp4"


def test_a_file_as_planned_is_verified(video: Path, sounding: Path) -> None:
    assert verify(video, Promised(), 64, 48).frames == 24
    assert verify(sounding, Promised(sound=True), 64, 48).audio is not None
    assert verify(sounding, Promised(inputs={"audio": "a.npy"}), 64, 48).audio is not None


@pytest.mark.parametrize(
    ("plan", "size", "said"),
    [
        (Promised(keep_frames=25), (64, 48), "frames is 24, not 25"),
        (Promised(fps=25), (64, 48), "frames per second is 24, not 25"),
        (Promised(), (64, 64), "size is 64x48, not 64x64"),
        (Promised(sound=True), (64, 48), "sound is False, not True"),
    ],
)
def test_each_difference_from_the_plan_is_named(video: Path, plan: Any, size: Any, said: str) -> None:
    with pytest.raises(NotAsPlanned, match=said):
        verify(video, plan, *size)


def test_sound_nobody_asked_for_is_a_difference(sounding: Path) -> None:
    with pytest.raises(NotAsPlanned, match="sound is True, not False"):
        verify(sounding, Promised(), 64, 48)


def test_a_truncated_file_is_not_as_planned(video: Path) -> None:
    whole = video.read_bytes()
    for share in (0.2, 0.9):
        video.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(NotAsPlanned):
            verify(video, Promised(), 64, 48)


def test_something_else_named_mp4_is_not_as_planned(tmp_path: Path) -> None:
    for content in (b"", b"hello", b"ffconcat version 1.0\nfile /etc/passwd\n"):
        (tmp_path / "video.mp4").write_bytes(content)
        with pytest.raises(NotAsPlanned, match="not a readable mp4"):
            probe(tmp_path / "video.mp4")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "none.mp4")


def test_a_key_frame_that_cannot_be_decoded_is_noticed(video: Path) -> None:
    """Every count and tag is right; what a player would show is not."""
    with av.open(str(video)) as file:
        first = next(file.demux(video=0))
        end = (first.pos or 0) + first.size
    data = bytearray(video.read_bytes())
    data[end - 20 : end] = b"\xff" * 20
    video.write_bytes(data)
    assert probe(video).frames == 24
    with pytest.raises(NotAsPlanned, match="key frame"):
        verify(video, Promised(), 64, 48)


@dataclass(frozen=True)
class Sold:
    width: int | None = 64
    height: int | None = 48
    seconds: float = 1.0
    sound: bool = False


@pytest.mark.parametrize(
    "sold",
    [
        Sold(),
        Sold(width=None, height=None),
        Sold(width=80, height=62),
        Sold(width=32, height=24),
        Sold(seconds=1.9),
    ],
)
def test_a_file_from_elsewhere_may_differ_a_little(video: Path, sold: Sold) -> None:
    suits(probe(video), sold)


@pytest.mark.parametrize(
    ("sold", "said"),
    [
        (Sold(seconds=5.0), "it lasts 1.0 s, not 5.0 s"),
        (Sold(width=48, height=64), "size is 64x48, not 48x64"),
        (Sold(width=1280, height=960), "size is 64x48, not 1280x960"),
        (Sold(sound=True), "it has no sound"),
        (Sold(seconds=9.0, sound=True), "it lasts 1.0 s, not 9.0 s; it has no sound"),
    ],
)
def test_a_file_from_elsewhere_is_refused_when_it_is_not_what_was_sold(video: Path, sold: Sold, said: str) -> None:
    with pytest.raises(NotAsPlanned, match=said):
        suits(probe(video), sold)
