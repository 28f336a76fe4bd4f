"""An eagle that soars with a few slow beats: feathers, body and head drawn every frame, lit by the scene's sun."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.birds import Points, draw, level, raised, turn
from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array, mix, yuv
from rushes.engines.animatic.painter.stage import Stage

# One wing in the bird's own plane: distance along the span, distance ahead of the shoulder. Half the span is 1.
ARM = ((0.03, 0.11), (0.20, 0.155), (0.40, 0.185), (0.56, 0.165), (0.72, 0.10), (0.85, 0.035), (0.78, -0.02),
       (0.62, -0.03), (0.45, -0.05), (0.25, -0.07), (0.03, -0.08))  # fmt: skip
"""Leading edge and coverts, over the roots of the feathers."""
FINGERS = ((0.79, 0.060, 0.985, 0.085), (0.82, 0.025, 1.03, 0.010), (0.82, -0.015, 1.015, -0.070),
           (0.80, -0.05, 0.965, -0.140), (0.76, -0.07, 0.895, -0.195), (0.71, -0.06, 0.81, -0.225))  # fmt: skip
"""Primaries: root (along, ahead) and tip (along, ahead)."""
SECONDARIES = 9
BODY = ((0.0, 0.25), (0.045, 0.235), (0.072, 0.15), (0.082, 0.03), (0.068, -0.12), (0.05, -0.23), (0.0, -0.24))
TAIL = ((0.0, -0.20), (0.045, -0.20), (0.125, -0.385), (0.085, -0.418), (0.0, -0.43))
HEAD = ((0.0, 0.345), (0.024, 0.337), (0.041, 0.300), (0.046, 0.255), (0.040, 0.215), (0.0, 0.195))
BEAK = ((0.0, 0.392), (0.012, 0.372), (0.017, 0.340), (0.0, 0.335))
"""Right halves: (sideways, ahead)."""

Group = tuple[list[Points], Rgb]


def _feather(root: Points, tip: Points, width: float) -> Points:
    """A blade with a rounded end from root to tip."""
    way = tip - root
    across = np.array((-way[1], way[0])) / np.hypot(*way) * width
    end = tip - 0.14 * way
    return np.array([root + across, end + across, tip + 0.35 * across, tip - 0.5 * across, end - across, root - across])


def _both(shapes: list[Points], inner: float, outer: float, side: float) -> list[Points]:
    return [raised(shape, side, inner, outer) for shape in shapes]


def _whole(half: tuple[tuple[float, float], ...]) -> list[Points]:
    right = np.array(half)
    return [level(np.concatenate([right, right[::-1] * (-1, 1)]))]


def _quills() -> tuple[list[Points], list[Points]]:
    """Every second flight feather of a wing, and the others."""
    feathers: list[Points] = []
    for n in range(SECONDARIES):
        along = 0.07 + 0.62 * n / (SECONDARIES - 1)
        trail = -0.185 - 0.055 * np.sin(np.pi * min(along / 0.75, 1)) + 0.012 * (n % 2)
        feathers.append(_feather(np.array((along - 0.01, 0.02)), np.array((along + 0.035, trail)), 0.046))
    for root_x, root_z, tip_x, tip_z in FINGERS:
        feathers.append(_feather(np.array((root_x - 0.10, root_z)), np.array((tip_x, tip_z)), 0.021))
    return feathers[::2], feathers[1::2]


class Eagle:
    """One large bird of prey, gliding in a wide arc; nearer where the sky is all there is."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("eagle")
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        self._near = stage.reading.biome == "sky"
        self._span = (0.265 if self._near else 0.150) * stage.unit
        self._phase = float(rng.uniform(0, 1.2))
        self._even, self._odd = _quills()

    def _lit(self, albedo: Rgb, facing: float) -> tuple[float, float, float]:
        """A colour of plumage in this light; `facing` is how far the surface turns to the sun, -1..1."""
        light = self._stage.light
        shaded = array(albedo) * (array(light.fill) * 1.25 + array(light.key) * (0.26 + 0.42 * facing))
        colour = (float(shaded[0]), float(shaded[1]), float(shaded[2]))
        return yuv(mix(colour, light.haze, 0.05 if self._near else 0.09))

    def _groups(self, inner: float, outer: float, bank: float) -> list[tuple[list[Points], tuple[float, float, float]]]:
        """Polygons and their colours in the order they are drawn."""
        sun = 1.0 if self._stage.sun_x > self._stage.width / 2 else -1.0
        groups: list[tuple[list[Points], tuple[float, float, float]]] = []
        for side in (1.0, -1.0):
            facing = float(np.clip(-side * sun * np.sin(0.5 * (inner + outer)) * 0.9 + sun * np.sin(bank), -0.55, 1))
            for shapes, albedo in (
                (self._even, (0.105, 0.072, 0.048)),
                (self._odd, (0.140, 0.100, 0.068)),
                ([np.array(ARM)], (0.066, 0.042, 0.026)),
            ):
                groups.append((_both(shapes, inner, outer, side), self._lit(albedo, facing)))
        for half, albedo in ((TAIL, (0.72, 0.70, 0.66)), (BODY, (0.058, 0.037, 0.024)), (BEAK, (0.62, 0.40, 0.06)),
                             (HEAD, (0.78, 0.76, 0.72))):  # fmt: skip
            groups.append((_whole(half), self._lit(albedo, 0.12)))
        return groups

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i) * min(stage.tempo, 1.5)
        progress = i / max(stage.count - 1, 1) - 0.5
        # Beats come in short series between long glides; a large bird close by beats slowly.
        rate = 5.6 if self._near else 7.2
        series = np.clip(np.sin(t * 0.85 + self._phase) * 2.2 - 0.9, 0, 1)
        inner = 0.13 + 0.36 * series * np.sin(t * rate) + 0.025 * np.sin(t * 1.9)
        outer = 0.30 + 0.50 * series * np.sin(t * rate - 0.9) + 0.05 * np.sin(t * 2.3 + 1)
        bank = self._way * (0.16 + 0.20 * np.sin(t * 0.55 + self._phase))
        yaw = self._way * (0.85 - 0.35 * progress)
        spread = min(0.42 * stage.width, 0.75 * stage.unit)
        x = stage.width * 0.5 + self._way * progress * spread
        height = 0.40 if self._near and not stage.reading.has("above") else 0.30 if self._near else 0.275
        y = stage.height * (height - 0.05 * np.sin(np.pi * (progress + 0.5))) + 0.012 * stage.unit * np.sin(t * 1.1)
        y -= 0.012 * stage.unit * series * np.sin(t * rate + 0.8)
        size = self._span * (1 + (0.30 if self._near else 0.12) * progress)
        for polygons, colour in self._groups(float(inner), float(outer), float(bank)):
            seen = [turn(part, yaw, -0.62, bank) * size for part in polygons]
            draw(canvas, seen, (float(x), float(y)), colour)
