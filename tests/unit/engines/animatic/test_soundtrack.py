"""The sound track: its format, its levels, and that the words can be heard in its spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from rushes.engines.animatic.soundtrack import PEAK, RATE, soundtrack

PROMPTS = (
    "mountains at sunset", "a calm ocean", "street at night in the rain", "birds in a forest", "field at night",
    "a planet", "a river", "campfire embers", "storm at sea with gulls", "a dog",
)  # fmt: skip


def share(samples: NDArray[np.float32], low: float, high: float) -> float:
    """How much of the power lies between two frequencies."""
    power = np.abs(np.fft.rfft(samples.mean(axis=1))) ** 2
    f = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[(f >= low) & (f < high)].sum() / power.sum())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_track_has_its_length_format_peak_and_fades(prompt: str) -> None:
    audio = soundtrack(prompt, 2.0, 3)
    samples = audio.samples
    assert audio.rate == RATE
    assert samples.shape == (2 * RATE, 2)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    assert float(np.abs(samples).max()) == pytest.approx(PEAK, abs=1e-4)
    assert float(np.abs(samples[0]).max()) < 1e-3
    assert float(np.abs(samples[-1]).max()) < 1e-3
    middle = samples[RATE // 2 : RATE]
    assert -45 < 20 * np.log10(float(middle.std())) < -8
    assert abs(float(samples.mean())) < 0.01


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1.04, 3.0])
def test_any_length_is_met_to_the_sample(seconds: float) -> None:
    assert len(soundtrack("birds by a river in the rain", seconds, 1).samples) == round(seconds * RATE)


def test_the_same_seed_gives_the_same_sound_and_another_seed_another() -> None:
    first, second, other = (soundtrack("ocean", 1.0, seed).samples for seed in (4, 4, 5))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_the_two_channels_are_related_but_not_equal() -> None:
    samples = soundtrack("a windy field", 2.0, 2).samples
    assert 0.2 < float(np.corrcoef(samples.T)[0, 1]) < 0.98


def test_rain_and_birds_are_heard_above_the_wind() -> None:
    plain = soundtrack("mountains at sunset", 3.0, 6).samples
    assert share(soundtrack("mountains at sunset, rain", 3.0, 6).samples, 3000, 10000) > 20 * share(plain, 3000, 10000)
    assert share(soundtrack("mountains at sunset, birds", 3.0, 6).samples, 2200, 5200) > 5 * share(plain, 2200, 5200)


def test_waves_swell() -> None:
    samples = soundtrack("a rough sea", 8.0, 6).samples
    loudness = [float(block.std()) for block in np.split(samples[RATE // 2 : -RATE], 13)]
    assert max(loudness) > 1.4 * min(loudness)


def test_a_negated_sound_is_not_heard() -> None:
    with_rain, without = (soundtrack(f"a city street, {words}", 2.0, 6).samples for words in ("rain", "no rain"))
    assert share(with_rain, 3000, 10000) > 5 * share(without, 3000, 10000)
