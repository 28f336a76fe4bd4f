"""Noise: periodic, of unit strength, and the same for the same random numbers."""

from __future__ import annotations

import numpy as np
from rushes.engines.animatic.painter.noise import lattice, sample, smoothstep, spectral
from rushes.engines.animatic.painter.splat import splat
from rushes.engines.animatic.painter.waves import SIZE, Waves


def test_tiles_join_their_own_edges() -> None:
    for tile in (spectral(np.random.default_rng(1), 128, 3.0), lattice(np.random.default_rng(1), 128, 8)):
        inside = np.abs(np.diff(tile, axis=1)).max()
        assert np.abs(tile[:, 0] - tile[:, -1]).max() <= 1.5 * inside
        assert tile.dtype == np.float32


def test_spectral_noise_has_unit_strength_and_no_offset() -> None:
    tile = spectral(np.random.default_rng(2), 128, 2.0)
    assert abs(float(tile.mean())) < 1e-3
    assert abs(float(tile.std()) - 1) < 1e-3


def test_sampling_wraps() -> None:
    tile = lattice(np.random.default_rng(3), 64, 8)
    u = np.array([[0.25, 1.25, -0.75]], np.float32)
    values = sample(tile, u, np.full_like(u, 0.5))[0]
    assert np.allclose(values, values[0], atol=1e-4)


def test_smoothstep_runs_either_way() -> None:
    x = np.array([-1, 0, 0.5, 1, 2], np.float32)
    assert np.allclose(smoothstep(0, 1, x), [0, 0, 0.5, 1, 1])
    assert np.allclose(smoothstep(1, 0, x), [1, 1, 0.5, 0, 0])


def test_points_of_light_keep_their_energy_and_stay_inside() -> None:
    plane = np.zeros((40, 40), np.float32)
    x, y = np.array([20.3, -5.0, 39.9]), np.array([19.6, 10.0, 39.9])
    splat(plane, x, y, np.array([100.0, 100.0, 100.0]), 1.5)
    assert abs(float(plane.sum()) - 100 * 2 * np.pi * 1.5**2) < 20
    assert np.unravel_index(int(plane.argmax()), plane.shape) == (20, 20)


def test_waves_have_the_roughness_asked_for_and_move_smoothly() -> None:
    waves = Waves(np.random.default_rng(4), 16.0, 0.08, 1 / 24)
    first, second = np.dstack(waves.slopes()), np.dstack(waves.slopes())
    assert first.shape == (SIZE + 1, SIZE + 1, 2)
    assert 0.05 < float(np.sqrt((first**2).sum(axis=2).mean())) < 0.12
    assert 0.0005 < float(np.abs(second - first).mean()) < 0.03
    assert np.array_equal(first[0], first[-1])
