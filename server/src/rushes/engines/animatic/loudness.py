"""A sound track given by the customer: brought to length, and turned into a loudness that moves the camera."""

from dataclasses import replace
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.camera import F64, Path
from rushes.engines.animatic.pixels import F32, f32
from rushes.engines.engine import Audio, InvalidInput

RATE = 48_000
ATTACK_SECONDS = 0.08
"""30 ms, the usual figure, lets the view jump by 2 % within one frame; this is still felt as immediate."""
RELEASE_SECONDS = 0.25
FADE_SECONDS = 0.2
ZOOM, PUSH = 0.03, 0.018


def read_audio(path: str | FilePath) -> F32:
    """The samples that media wrote: 48 kHz stereo, float32, (samples, 2). Raises InvalidInput if they are not."""
    samples: NDArray[np.generic] = np.load(path, allow_pickle=False)
    if samples.ndim != 2 or samples.shape[1] != 2 or samples.dtype != np.float32:
        raise InvalidInput(f"audio: expected 48 kHz stereo float32 samples, found {samples.dtype} {samples.shape}")
    return f32(samples)


def fitted(samples: F32, seconds: float) -> Audio:
    """The samples trimmed or padded with silence to the length of the video, with a fade at its end."""
    length = round(seconds * RATE)
    track = np.zeros((length, 2), np.float32)
    track[: len(samples)] = np.clip(np.nan_to_num(samples[:length]), -1, 1)
    fade = min(round(FADE_SECONDS * RATE), length)
    track[length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return Audio(track, RATE)


def driven(path: Path, track: F32, fps: int, fade: F64) -> Path:
    """A camera path that also comes a little closer where the sound is loud, as far as `fade` (0 to 1) lets it."""
    loud = envelope(track, path.count, fps) * fade
    return replace(path, zoom=path.zoom + np.log1p(ZOOM * loud), push=path.push + PUSH * loud)


def envelope(track: F32, count: int, fps: int) -> F64:
    """Loudness per video frame, 0 to 1: level in decibels between its own 10th and 95th percentile, with a quick
    attack and a slow release. 0 at frame 0, which has to equal the picture."""
    step = RATE // fps
    needed = np.zeros((count * step, 2), np.float32)
    needed[: min(len(track), count * step)] = track[: count * step]
    power = (needed.astype(np.float64) ** 2).mean(axis=1).reshape(count, step).mean(axis=1)
    level = 10 * np.log10(power + 1e-7)
    low, high = (float(value) for value in np.percentile(level, (10, 95)))
    if high < -55:
        return np.zeros(count)
    target = np.clip((level - low) / max(high - low, 6.0), 0, 1)
    rise, fall = (1 - np.exp(-1 / (fps * seconds)) for seconds in (ATTACK_SECONDS, RELEASE_SECONDS))
    followed, value = np.zeros(count), 0.0
    for i in range(1, count):
        value += float(target[i] - value) * float(rise if target[i] > value else fall)
        followed[i] = value
    return followed
