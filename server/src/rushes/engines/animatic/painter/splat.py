"""Soft points of light, many at once, at sub-pixel positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.raster import Field, Plane

Points = NDArray[np.float64] | NDArray[np.float32]


def splat(plane: Plane | Field, x: Points, y: Points, power: Points, radius: float) -> None:
    """Add Gaussian points with sigma `radius` pixels and peak `power` to a plane, in place; negative powers take away.

    Points less than 2.5 sigma from the border are left out. An 8-bit plane saturates, and where two of its points
    overlap the later one counts; on a float plane all are added.
    """
    reach = max(1, int(np.ceil(radius * 2.5)))
    height, width = plane.shape
    left = np.floor(x + 0.5).astype(np.int32)
    top = np.floor(y + 0.5).astype(np.int32)
    inside = (left >= reach) & (left < width - reach) & (top >= reach) & (top < height - reach)
    if not inside.any():
        return
    left, top, x, y, power = left[inside], top[inside], x[inside], y[inside], power[inside]
    steps = np.arange(-reach, reach + 1, dtype=np.float32)
    gx = np.exp(-(((steps[None, :] + (left - x).astype(np.float32)[:, None]) / radius) ** 2) / 2)
    gy = np.exp(-(((steps[None, :] + (top - y).astype(np.float32)[:, None]) / radius) ** 2) / 2)
    patch = gy[:, :, None] * (gx * power.astype(np.float32)[:, None])[:, None, :]
    whole = steps.astype(np.int32)
    index = ((top[:, None] + whole) * width)[:, :, None] + (left[:, None] + whole)[:, None, :]
    flat = plane.reshape(-1)
    if plane.dtype == np.uint8:
        flat[index] = np.clip(flat[index] + patch, 0, 255).astype(np.uint8)
    else:
        added = np.bincount(index.reshape(-1), weights=patch.reshape(-1))
        flat[: added.size] += added.astype(np.float32)
