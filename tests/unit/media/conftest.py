"""Frames like an engine's: a moving ramp, in either pixel format."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import av
import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass
class Track:
    samples: NDArray[np.float32]
    rate: int


@dataclass
class Ramp:
    """`count` frames; frame i is recognisable by its brightness."""

    width: int = 64
    height: int = 48
    fps: int = 24
    count: int = 24
    pixel_format: Literal["rgb24", "yuv420p"] = "yuv420p"
    audio: Track | None = None
    sound_at_end: Track | None = None
    """Given out only when the iteration has ended, as engines may."""
    ended: bool = False

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for number in range(self.count):
            yield self.frame(number)
        self.audio = self.audio or self.sound_at_end
        self.ended = True

    def frame(self, number: int) -> NDArray[np.uint8]:
        level = 20 + number * 200 // max(self.count, 1)
        if self.pixel_format == "rgb24":
            return np.full((self.height, self.width, 3), level, np.uint8)
        planes = np.full((self.height * 3 // 2, self.width), 128, np.uint8)
        planes[: self.height] = level
        return planes


def tone(seconds: float, rate: int = 48_000, channels: int = 2) -> Track:
    wave = np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate) * 0.5
    return Track(np.repeat(wave[:, None], channels, axis=1).astype(np.float32), rate)


@pytest.fixture
def ramp() -> Any:
    return Ramp


@pytest.fixture
def a_tone() -> Any:
    return tone


def movie(
    path: Any,
    *,
    codec: str = "libx264",
    container: str = "mp4",
    size: tuple[int, int] = (64, 48),
    fps: int = 24,
    count: int = 24,
    rotation: float = 0,
    sound: bool = False,
) -> Any:
    """A file as a customer might send it; frame i is grey of level 20 + i * 4 (up to 50 frames told apart)."""
    with av.open(str(path), "w", format=container) as file:
        video = file.add_stream(codec, rate=fps)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        audio = file.add_stream("aac" if container == "mp4" else "libopus", rate=48_000) if sound else None
        for number in range(count):
            planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
            planes[: size[1]] = min(20 + number * 4, 230)
            planes[: size[1] // 4, : size[0] // 4] = 235  # a white corner, top left, shows how it was turned
            file.mux(video.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        file.mux(video.encode(None))
        if audio:
            mux_tone(file, audio, count / fps)
    return path


def mux_tone(file: Any, stream: Any, seconds: float, rate: int = 48_000) -> None:
    layout, form = stream.codec_context.layout.name, stream.codec_context.format.name
    wave = tone(seconds, rate, 1 if layout == "mono" else 2).samples.T
    for start in range(0, wave.shape[1], 960):
        part = np.ascontiguousarray(wave[:, start : start + 960])
        part = part if "p" in form else np.ascontiguousarray(part.T.reshape(1, -1))
        if form.startswith("s"):
            bits = int(form[1:3])
            part = (part * (2.0 ** (bits - 1) - 1)).astype(f"int{bits}")
        frame = av.AudioFrame.from_ndarray(part, format=form, layout=layout)
        frame.sample_rate, frame.pts = rate, start
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


def recording(
    path: Any, codec: str, container: str, seconds: float = 1.0, rate: int = 48_000, layout: str = "stereo"
) -> Any:
    """A sound file: 440 Hz at half of full scale."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        mux_tone(file, stream, seconds, rate)
    return path


@pytest.fixture
def a_movie() -> Any:
    return movie


@pytest.fixture
def a_recording() -> Any:
    return recording
