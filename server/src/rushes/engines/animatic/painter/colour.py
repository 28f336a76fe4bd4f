"""Colour: scene-linear RGB to film-like display RGB to the painter's Y, U, V.

The painter's Y is limited-range luma **minus 16**, so that black is 0 and layers can be multiplied and added as 8-bit
numbers; U and V are the usual 16 to 240 around 128. `Canvas.frame` adds the 16 back.
"""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.raster import Field, linear_map

Rgb = tuple[float, float, float]

CONTRAST = 0.28
"""How much of the film curve is replaced by a steeper one, 0..1."""

CACHED = 1 << 16
"""Values that are worked on at a time, few enough to stay in the processor's cache."""

# BT.709 (ITU-R BT.709-6, items 3.2 and 3.4), display RGB 0..1 to Y 0..219, U and V 16..240 in units of one level.
TO_YUV = np.array(
    [
        [0.2126 * 219, 0.7152 * 219, 0.0722 * 219, 0.0],
        [-0.2126 / 1.8556 * 224, -0.7152 / 1.8556 * 224, 0.5 * 224, 128.0],
        [0.5 * 224, -0.7152 / 1.5748 * 224, -0.0722 / 1.5748 * 224, 128.0],
    ],
    np.float32,
)


def film(linear: Field) -> Field:
    """Scene-linear light to display values 0..1 with a toe and a soft shoulder.

    The rational fit by J. Hejl and R. Burgess-Dawson (2010); it includes the display gamma. Channels saturate one by
    one, so a bright red sun turns to gold and then to white, as on film.
    """
    out = np.empty(linear.shape, np.float32)
    rows = max(1, CACHED // max(1, linear[0].size)) if len(linear) else 1
    for first in range(0, len(linear), rows):
        part = slice(first, first + rows)
        out[part] = _printed(linear[part])
    return out


def _printed(linear: Field) -> Field:
    x = np.maximum(linear - np.float32(0.0015), 0)
    steep = x * np.float32(6.2)
    y = x * (steep + np.float32(0.5))
    y /= x * (steep + np.float32(1.7)) + np.float32(0.06)
    # A little of a smoothstep over it: prints have more contrast than negatives.
    return (y * (np.float32(1 - CONTRAST) + np.float32(CONTRAST) * y * (3 - 2 * y))).astype(np.float32, copy=False)


def to_yuv(display: Field) -> Field:
    """Display RGB (h, w, 3) in 0..1 to float Y, U, V (h, w, 3), not rounded."""
    return linear_map(display, TO_YUV)


def yuv(linear: Rgb) -> tuple[float, float, float]:
    """One scene-linear colour as the painter's Y, U, V."""
    pixel = to_yuv(film(np.array(linear, np.float32).reshape(1, 1, 3)))
    y, u, v = (float(value) for value in pixel.reshape(3))
    return y, u, v


def dither(rng: np.random.Generator, height: int, width: int, strength: float = 0.8) -> Field:
    """Triangular noise of +-`strength` levels that hides the steps of 8-bit gradients."""
    tile = rng.random((256, 256), np.float32) - rng.random((256, 256), np.float32)
    reps = (-(-height // 256), -(-width // 256))
    return (np.tile(tile, reps)[:height, :width] * np.float32(strength)).astype(np.float32)


def mix(a: Rgb, b: Rgb, t: float) -> Rgb:
    """Between two linear colours."""
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def scaled(a: Rgb, gain: float) -> Rgb:
    """A linear colour, brighter or darker."""
    return (a[0] * gain, a[1] * gain, a[2] * gain)


def array(a: Rgb) -> Field:
    """A linear colour as a float32 array of three."""
    return np.array(a, np.float32)
