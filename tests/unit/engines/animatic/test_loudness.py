"""Sound given by the customer: its length and its pull on the camera."""

import numpy as np
import pytest
from rushes.engines.animatic.camera import Path
from rushes.engines.animatic.loudness import driven, envelope, fitted


def beats(seconds: float, per_second: float = 1.0) -> np.ndarray:
    t = np.arange(round(seconds * 48_000)) / 48_000
    tone = np.sin(2 * np.pi * 220 * t) * ((t * per_second) % 1 < 0.4) * 0.5
    return np.stack([tone, tone], axis=1).astype(np.float32)


@pytest.mark.parametrize("given", [0.0, 0.7, 2.0, 9.0])
def test_the_track_is_as_long_as_the_video(given: float) -> None:
    audio = fitted(beats(given), 2.0)
    assert audio.samples.shape == (96_000, 2)
    assert audio.rate == 48_000
    assert audio.samples[-1].tolist() == [0, 0]


def test_samples_out_of_range_are_tamed() -> None:
    wild = np.full((48_000, 2), 7, np.float32)
    wild[5] = np.nan
    samples = fitted(wild, 1.0).samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1


def test_the_envelope_follows_the_beat_and_starts_at_rest() -> None:
    loud = envelope(beats(4), 96, 24)
    assert loud[0] == 0
    assert 0 <= loud.min() <= loud.max() <= 1
    for beat in range(4):
        assert loud[beat * 24 + 8] > 0.7
        assert loud[beat * 24 + 23] < 0.35
    assert np.diff(loud).max() < 0.45


@pytest.mark.parametrize("track", [np.zeros((96_000, 2), np.float32), np.zeros((0, 2), np.float32)])
def test_silence_moves_nothing(track: np.ndarray) -> None:
    assert not envelope(track, 48, 24).any()


def test_a_loud_moment_brings_the_camera_closer() -> None:
    path = driven(Path.still(96), beats(4), 24, np.ones(96))
    assert 0.02 < path.zoom.max() <= np.log(1.03)
    assert 0.012 < path.push.max() <= 0.018
    assert path.zoom[0] == path.push[0] == 0
