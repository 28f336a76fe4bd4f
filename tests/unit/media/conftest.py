"""Frames like an engine's: a moving ramp, in either pixel format."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

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
