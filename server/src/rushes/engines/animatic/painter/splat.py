"""Soft points of light, many at once, at sub-pixel positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.colour import Plane
from rushes.engines.animatic.painter.noise import Field

Points = NDArray[np.float64] | NDArray[np.float32]


def splat(plane: Plane | Field, x: Points, y: Points, power: Points, radius: float) -> None:
    """Add Gaussian points with sigma `radius` pixels and peak `power` to a plane, in place; outside ones are ignored.

    An 8-bit plane saturates.
    """
    reach = max(1, int(np.ceil(radius * 2.5)))
    size = 2 * reach + 1
    height, width = plane.shape
    left = np.floor(x + 0.5).astype(np.int32)
    top = np.floor(y + 0.5).astype(np.int32)
    inside = (left >= reach) & (left < width - reach) & (top >= reach) & (top < height - reach)
    if not inside.any():
        return
    left, top, x, y, power = left[inside], top[inside], x[inside], y[inside], power[inside]
    steps = np.arange(-reach, reach + 1, dtype=np.float32)
    gx = np.exp(-(((steps[None, :] + left[:, None] - x[:, None]) / radius) ** 2) / 2)
    gy = np.exp(-(((steps[None, :] + top[:, None] - y[:, None]) / radius) ** 2) / 2)
    patch = (gy[:, :, None] * gx[:, None, :] * power[:, None, None]).reshape(-1)
    rows = (top[:, None, None] + steps[None, :, None].astype(np.int32)) * width
    index = (rows + left[:, None, None] + steps[None, None, :].astype(np.int32)).reshape(-1, size * size).reshape(-1)
    added = np.bincount(index, weights=patch, minlength=0)
    if plane.dtype == np.uint8:
        flat = plane.reshape(-1)
        where = np.unique(index)
        flat[where] = np.minimum(flat[where] + added[where], 255).astype(np.uint8)
    else:
        flat = plane.reshape(-1)
        flat[: added.size] += added.astype(np.float32)
