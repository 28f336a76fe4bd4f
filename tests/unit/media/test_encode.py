"""encode: one finished mp4, complete or absent."""

import errno
import hashlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
import pytest
from PIL import Image
from rushes.media.encode import WrongFrames, encode
from rushes.media.probe import probe


class Stop(Exception):
    """Stands for Cancelled."""


def no_leftovers(folder: Path) -> bool:
    return not list(folder.iterdir()) and not any(t.name == "encoder" for t in threading.enumerate())


@pytest.mark.parametrize(("effort", "search"), [("full", b"subme=2"), ("light", b"subme=1")])
def test_a_video_is_h264_high_bt709_limited_at_a_constant_rate_with_moov_first(
    tmp_path: Path, ramp: Any, effort: Any, search: bytes
) -> None:
    comment = "engine: animatic\nseed: 1"
    encode(ramp(count=48), tmp_path / "video.mp4", keep_frames=48, comment=comment, effort=effort)
    assert search in (tmp_path / "video.mp4").read_bytes()  # x264 writes its options into the first frame
    facts = probe(tmp_path / "video.mp4")
    assert (facts.codec, facts.profile, facts.pixel_format) == ("h264", "High", "yuv420p")
    assert facts.colour == (1, 1, 1, 1)
    assert (facts.frames, facts.fps, facts.seconds) == (48, 24, 2.0)
    assert facts.moov_first
    assert facts.audio is None
    assert facts.comment == "engine: animatic seed: 1"


def test_every_frame_is_decodable_in_its_place(tmp_path: Path, ramp: Any) -> None:
    frames = ramp(count=30)
    encode(frames, tmp_path / "video.mp4", keep_frames=30, comment="")
    with av.open(str(tmp_path / "video.mp4")) as file:
        shown = [frame.to_ndarray()[24, 32] for frame in file.decode(video=0)]
    assert len(shown) == 30
    assert max(abs(int(got) - int(frames.frame(i)[24, 32])) for i, got in enumerate(shown)) <= 3


def test_there_is_a_key_frame_every_two_seconds(tmp_path: Path, ramp: Any) -> None:
    encode(ramp(count=120), tmp_path / "video.mp4", keep_frames=120, comment="")
    with av.open(str(tmp_path / "video.mp4")) as file:
        keys = [float(p.pts * p.time_base) for p in file.demux(video=0) if p.is_keyframe and p.pts is not None]
    assert {0.0, 2.0, 4.0} <= set(keys)


def test_rgb_frames_keep_their_colours_through_bt709(tmp_path: Path, ramp: Any) -> None:
    class Red(ramp):  # type: ignore[misc]
        def frame(self, number: int) -> Any:
            return np.full((self.height, self.width, 3), (200, 60, 30), np.uint8)

    facts = encode(Red(pixel_format="rgb24"), tmp_path / "video.mp4", keep_frames=24, comment="")
    with av.open(str(tmp_path / "video.mp4")) as file:
        decoded = next(file.decode(video=0)).to_ndarray(format="rgb24")
    facts.glimpses.write(tmp_path)
    with Image.open(tmp_path / "first_frame.jpg") as first:
        for picture in (decoded, np.array(first)):
            assert np.abs(picture[24, 32].astype(int) - (200, 60, 30)).max() <= 4


def test_sound_that_appears_at_the_end_is_as_long_as_the_video(tmp_path: Path, ramp: Any, a_tone: Any) -> None:
    for track in (a_tone(0.4, 44_100, 1), a_tone(3.0, 48_000, 2), a_tone(1.0, 22_050, 6)):
        facts = encode(ramp(sound_at_end=track), tmp_path / "video.mp4", keep_frames=24, comment="")
        found = probe(tmp_path / "video.mp4").audio
        assert facts.audio
        assert found is not None
        assert (found.codec, found.rate, found.channels) == ("aac", 48_000, 2)
        assert found.seconds == pytest.approx(1.0, abs=0.001)


def test_sound_is_heard_where_it_was_given_and_silent_after(tmp_path: Path, ramp: Any, a_tone: Any) -> None:
    encode(ramp(count=48, audio=a_tone(1.0, 44_100)), tmp_path / "video.mp4", keep_frames=48, comment="")
    with av.open(str(tmp_path / "video.mp4")) as file:
        heard = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    assert np.abs(heard[:, 10_000:40_000]).max() == pytest.approx(0.5, abs=0.05)
    assert np.abs(heard[:, 60_000:90_000]).max() < 0.01


def test_sound_that_is_no_number_does_no_harm(tmp_path: Path, ramp: Any, a_tone: Any) -> None:
    track = a_tone(1.0)
    track.samples[::100] = np.nan
    track.samples[1::100] = 1e30
    encode(ramp(audio=track), tmp_path / "video.mp4", keep_frames=24, comment="")
    assert probe(tmp_path / "video.mp4").audio is not None


def test_packets_of_sound_and_picture_are_interleaved(tmp_path: Path, ramp: Any, a_tone: Any) -> None:
    # Longer than the ten seconds for which FFmpeg itself would wait for the other stream.
    encode(ramp(count=15 * 24, audio=a_tone(15.0)), tmp_path / "video.mp4", keep_frames=15 * 24, comment="")
    with av.open(str(tmp_path / "video.mp4")) as file:
        packets = sorted((p.pos or 0, p.stream.type) for p in file.demux() if p.size)
    kinds = [kind for _, kind in packets]
    tenth = len(kinds) // 10
    assert all(set(kinds[start : start + tenth]) == {"audio", "video"} for start in range(0, len(kinds) - tenth, tenth))


def test_the_same_frames_give_the_same_bytes(tmp_path: Path, ramp: Any, a_tone: Any) -> None:
    digests: set[str] = set()
    for name in ("one.mp4", "two.mp4"):
        encode(ramp(count=48, audio=a_tone(2.0)), tmp_path / name, keep_frames=48, comment="c")
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_x264_keeps_to_instructions_that_give_the_same_bytes(tmp_path: Path, ramp: Any) -> None:
    """With AVX-512 about one encode in fifty differed, so that a test of bytes alone would rarely show it."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture(local=False) as said:
            encode(ramp(count=4), tmp_path / "video.mp4", keep_frames=4, comment="")
    finally:
        av.logging.set_level(level)
    used = [line for _, _, line in said if "cpu capabilities" in line]
    assert used
    assert not any("AVX512" in line for line in used)


def test_surplus_frames_are_dropped_but_the_engine_is_heard_out(tmp_path: Path, ramp: Any, a_tone: Any) -> None:
    frames = ramp(count=33, sound_at_end=a_tone(1.0))
    counted: list[int] = []
    facts = encode(frames, tmp_path / "video.mp4", keep_frames=24, comment="", on_frame=counted.append)
    assert frames.ended
    assert facts.audio
    assert counted == list(range(1, 25))
    assert probe(tmp_path / "video.mp4").frames == facts.frames == 24


def test_a_cancel_passes_through_and_leaves_nothing(tmp_path: Path, ramp: Any) -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 12:
            raise Stop

    with pytest.raises(Stop):
        encode(ramp(count=200), tmp_path / "video.mp4", keep_frames=200, comment="", check=check)
    assert no_leftovers(tmp_path)


def test_an_engine_that_breaks_midway_leaves_nothing(tmp_path: Path, ramp: Any) -> None:
    class Broken(ramp):  # type: ignore[misc]
        def frame(self, number: int) -> Any:
            if number == 9:
                raise RuntimeError("out of paint")
            return super().frame(number)

    with pytest.raises(RuntimeError, match="out of paint"):
        encode(Broken(), tmp_path / "video.mp4", keep_frames=24, comment="")
    assert no_leftovers(tmp_path)


def test_an_encoder_that_fails_never_blocks_the_renderer(tmp_path: Path, ramp: Any, monkeypatch: Any) -> None:
    from rushes.media import encode as module

    blocked = threading.Event()

    def fail(frame: Any) -> Any:
        blocked.wait()
        raise MemoryError("no room for a frame")

    class Full(ramp):  # type: ignore[misc]
        def frame(self, number: int) -> Any:
            if number == module.QUEUED_FRAMES + 1:  # one is with the encoder, so handing over this one waits
                threading.Timer(0.05, blocked.set).start()
            return super().frame(number)

    monkeypatch.setattr(module, "_planar", fail)
    with pytest.raises(MemoryError):
        encode(Full(count=100), tmp_path / "video.mp4", keep_frames=100, comment="")
    assert no_leftovers(tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": 63}, "even"),
        ({"count": 20}, "20 of 24"),
        ({"count": 0}, "0 of 24"),
    ],
)
def test_frames_unlike_their_announcement_are_refused(tmp_path: Path, ramp: Any, given: Any, said: str) -> None:
    with pytest.raises(WrongFrames, match=said):
        encode(ramp(**given), tmp_path / "video.mp4", keep_frames=24, comment="")
    assert no_leftovers(tmp_path)


def test_a_frame_of_another_shape_is_named(tmp_path: Path, ramp: Any) -> None:
    class Odd(ramp):  # type: ignore[misc]
        def frame(self, number: int) -> Any:
            return np.zeros((10, 10), np.uint8) if number == 5 else super().frame(number)

    with pytest.raises(WrongFrames, match=r"Frame 5 must be uint8 \(72, 64\), got uint8 \(10, 10\)"):
        encode(Odd(), tmp_path / "video.mp4", keep_frames=24, comment="")
    assert no_leftovers(tmp_path)


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path, ramp: Any) -> None:
    with pytest.raises(OSError, match="No such file"):
        encode(ramp(), tmp_path / "missing" / "video.mp4", keep_frames=24, comment="")


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from rushes.media.encode import encode

class Noise:
    width, height, fps, count, pixel_format, audio = 320, 240, 24, 48, "yuv420p", None
    def __iter__(self):
        random = np.random.default_rng(1)
        for _ in range(self.count):
            yield random.integers(0, 255, (360, 320), np.uint8)

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    encode(Noise(), Path(sys.argv[1]), keep_frames=48, comment="")
except OSError as error:
    print(error.errno)
"""


def test_a_disk_that_is_full_is_an_os_error_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "video.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(errno.EFBIG)]
    assert list(tmp_path.iterdir()) == []
