"""Colour: BT.709 by the book, a film curve without surprises, and gradients that do not band."""

from __future__ import annotations

import numpy as np
import pytest
from rushes.engines.animatic.painter import Scene
from rushes.engines.animatic.painter.colour import film, to_yuv


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((0, 0, 0), (16, 128, 128)), ((1, 1, 1), (235, 128, 128)), ((1, 0, 0), (63, 102, 240)),
        ((0, 1, 0), (173, 42, 26)), ((0, 0, 1), (32, 240, 118)),
    ],
)  # fmt: skip
def test_the_matrix_is_bt709_limited_range(rgb: tuple[float, ...], expected: tuple[int, ...]) -> None:
    y, u, v = to_yuv(np.array(rgb, np.float32).reshape(1, 1, 3)).reshape(3)
    assert (round(float(y)) + 16, round(float(u)), round(float(v))) == expected


def test_the_film_curve_rises_from_black_towards_white() -> None:
    values = film(np.linspace(0, 20, 400, dtype=np.float32))
    assert values[0] == 0
    assert (np.diff(values) >= 0).all()
    assert 0.3 < float(film(np.array([0.18], np.float32))[0]) < 0.55
    assert 0.97 < float(values[-1]) <= 1


def test_a_clear_sky_does_not_band() -> None:
    frame = Scene("desert under a blazing sun, no clouds, static", 640, 360, 4, 24, 8).frame(0)
    sky = frame[10:60].astype(np.float64)
    # Without dither a slow gradient stands still over many pixels and then steps in a line.
    equal = (np.diff(sky, axis=1) == 0).mean()
    assert equal < 0.7
