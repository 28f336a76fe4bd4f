"""A loose flock of birds, each built from a few points; and how any bird is bent, turned and drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import mix, yuv
from rushes.engines.animatic.painter.raster import filled, resized
from rushes.engines.animatic.painter.sprite import blend_mask
from rushes.engines.animatic.painter.stage import Stage

Points = NDArray[np.float64]

WING = ((0.04, 0.10), (0.20, 0.155), (0.40, 0.185), (0.56, 0.165), (0.72, 0.10), (0.84, 0.035), (0.80, -0.10),
        (0.66, -0.165), (0.50, -0.215), (0.34, -0.235), (0.18, -0.215), (0.04, -0.17))  # fmt: skip
"""One wing in the bird's own plane: distance along the span, distance ahead of the shoulder. Half the span is 1."""
TIP = ((0.78, 0.09), (1.0, -0.06), (0.78, -0.12))
BODY = ((0.0, 0.335), (0.028, 0.315), (0.042, 0.275), (0.05, 0.23), (0.075, 0.13), (0.08, 0.0), (0.06, -0.15),
        (0.055, -0.22), (0.115, -0.40), (0.06, -0.425), (0.0, -0.43))  # fmt: skip
"""Right half of body, head and tail fan: (sideways, ahead)."""


def _wing_rise(along: Points, inner: float, outer: float) -> Points:
    """Height of the wing over its span when its inner and outer halves are raised by these angles (radians)."""
    elbow = 0.42
    near = np.minimum(along, elbow) * np.sin(inner)
    return near + np.maximum(along - elbow, 0) * np.sin(outer)


def _wing_reach(along: Points, inner: float, outer: float) -> Points:
    elbow = 0.42
    return np.minimum(along, elbow) * np.cos(inner) + np.maximum(along - elbow, 0) * np.cos(outer)


def _parts(inner: float, outer: float) -> list[Points]:
    """A small bird's polygons as (right, up, ahead) points."""
    polygons: list[Points] = []
    for shape in (np.array(WING), np.array(TIP)):
        polygons += [raised(shape, side, inner, outer) for side in (1.0, -1.0)]
    half = np.array(BODY)
    polygons.append(level(np.concatenate([half, half[::-1] * (-1, 1)])))
    return polygons


def raised(shape: Points, side: float, inner: float, outer: float) -> Points:
    """A flat piece of wing, (along, ahead), on one side (1 right, -1 left), raised: (right, up, ahead)."""
    along, ahead = shape[:, 0], shape[:, 1]
    return np.stack([side * _wing_reach(along, inner, outer), _wing_rise(along, inner, outer), ahead], axis=1)


def level(shape: Points) -> Points:
    """A flat piece of the body, (sideways, ahead), as (right, up, ahead)."""
    return np.column_stack([shape[:, 0], np.full(len(shape), -0.015), shape[:, 1]])


def turn(points: Points, yaw: float, pitch: float, roll: float) -> Points:
    """Bird coordinates to screen coordinates (right, down)."""
    x, y, z = points.T
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), -x * np.sin(yaw) + z * np.cos(yaw)
    y = y * np.cos(pitch) + z * np.sin(pitch)
    return np.stack([x, -y], axis=1)


def draw(canvas: Canvas, polygons: list[Points], at: tuple[float, float], colour: tuple[float, float, float]) -> None:
    """Fill the polygons, at twice the size for clean edges, and blend them as one shape."""
    points = np.concatenate(polygons)
    low, high = points.min(axis=0), points.max(axis=0)
    left, top = (int(np.floor(a + b)) - 2 for a, b in zip(at, low, strict=True))
    width, height = (int(np.ceil(b - a)) + 6 for a, b in zip(low, high, strict=True))
    mask = np.zeros((height * 2, width * 2), np.uint8)
    origin = np.array(at) - (left, top)
    for polygon in polygons:
        filled(mask, polygon + origin, 255, scale=2)
    small = resized(mask, (width, height), area=True)
    blend_mask(canvas, small, left, top, colour)


class Flock:
    """A dozen small birds beating their wings out of step."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("flock")
        count = 11
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        order = np.arange(count) - count // 2
        self._x = order * 0.040 + rng.uniform(-0.016, 0.016, count)
        self._y = np.abs(order) * 0.016 + rng.uniform(-0.016, 0.016, count)
        near = 1.7 if stage.reading.biome == "sky" else 1.0
        self._size = rng.uniform(0.016, 0.024, count) * stage.unit * near
        self._x, self._y = self._x * near**0.6, self._y * near
        self._rate = rng.uniform(9.5, 12.5, count) / near**0.5
        self._phase = rng.uniform(0, 6.28, count)
        self._base = rng.uniform(0.16, 0.30) + (0.10 if near > 1 else 0.0)
        self._colour = yuv(mix((0.03, 0.03, 0.035), stage.light.haze, 0.16))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i)
        slow = 0.5 if stage.reading.has("slowmotion") else 1.0
        progress = i / max(stage.count - 1, 1) - 0.5
        centre = 0.5 * stage.width + self._way * progress * 0.5 * stage.width
        for n in range(len(self._x)):
            swing = float(np.sin(t * slow * self._rate[n] + self._phase[n]))
            lag = float(np.sin(t * slow * self._rate[n] + self._phase[n] - 0.9))
            parts = _parts(0.20 + 0.62 * swing, 0.10 + 0.75 * lag)
            bank = 0.08 * np.sin(t + n)
            polygons = [turn(part, self._way * 1.0, -0.42, float(bank)) * float(self._size[n]) for part in parts]
            x = centre + (self._x[n] * self._way + 0.008 * np.sin(t * 0.7 + n)) * stage.unit * 1.5
            y = stage.height * self._base + (self._y[n] + 0.010 * np.sin(t * 0.9 + 2 * n)) * stage.unit
            draw(canvas, polygons, (float(x), float(y)), self._colour)
