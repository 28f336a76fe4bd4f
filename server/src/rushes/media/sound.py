"""Sound tracks in the one form that is encoded and handed to engines: 48 kHz, stereo, float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from av import AudioFrame, AudioResampler

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 48_000


class Sound(Protocol):
    """What an engine calls Audio: samples float32, shape (samples, channels), -1 to 1; `rate` in hertz."""

    @property
    def samples(self) -> NDArray[np.float32]: ...
    @property
    def rate(self) -> int: ...


def fitted(sound: Sound, seconds: float) -> NDArray[np.float32]:
    """The sound as stereo 48 kHz of exactly `seconds`, shape (samples, 2): cut at the end, or silence added there.

    Mono goes to both sides; more than two channels are averaged first. Values that are not numbers become silence and
    the rest is held to -1..1, so no engine can make an encoder fail.
    """
    clean = np.clip(np.nan_to_num(np.atleast_2d(sound.samples), posinf=0.0, neginf=0.0), -1.0, 1.0)
    if clean.shape[1] > 2:
        clean = clean.mean(axis=1, keepdims=True)
    stereo = np.repeat(clean, 2, axis=1) if clean.shape[1] == 1 else clean
    stereo = resampled(stereo.astype(np.float32), sound.rate)
    length = round(seconds * RATE)
    track = np.zeros((length, 2), np.float32)
    track[: min(length, len(stereo))] = stereo[:length]
    return track


def resampled(stereo: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The same sound, shape (samples, 2), at 48 kHz."""
    if rate == RATE or not len(stereo):
        return stereo
    frame = audio_frame(stereo, rate, 0)
    resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
    parts = [part.to_ndarray() for given in (frame, None) for part in resampler.resample(given)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T.astype(np.float32))


def audio_frame(stereo: NDArray[np.float32], rate: int, pts: int) -> AudioFrame:
    """One planar frame of samples (samples, 2), starting at sample number `pts`."""
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(stereo.T, np.float32), format="fltp", layout="stereo")
    frame.sample_rate = rate
    frame.pts = pts
    return frame
