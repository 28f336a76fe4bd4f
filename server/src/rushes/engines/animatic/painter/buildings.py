"""Buildings that stand alone: a cabin, a castle, a windmill, a lighthouse, a viaduct."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb
from rushes.engines.animatic.painter.layers import Layer
from rushes.engines.animatic.painter.sketch import Sketch
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage

SNOW: Rgb = (0.80, 0.83, 0.88)
LAMP: Rgb = (1.0, 0.58, 0.22)
GLASS: Rgb = (0.05, 0.06, 0.08)


def lamps(stage: Stage) -> float:
    """How brightly lit windows shine; 0 by day."""
    return {"night": 1.6, "neon": 1.4, "sunset": 1.1, "dawn": 0.7, "overcast": 0.55}.get(stage.reading.time, 0.0)


def _window(sketch: Sketch, stage: Stage, x: float, y: float, wide: float, tall: float) -> None:
    box = ((x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall))
    power = lamps(stage)
    if power:
        sketch.glow(box, LAMP, power)
    else:
        sketch.lay(box, GLASS)
    bar = 0.05 * wide
    for cross in (
        (
            (x + wide / 2 - bar, y),
            (x + wide / 2 + bar, y),
            (x + wide / 2 + bar, y + tall),
            (x + wide / 2 - bar, y + tall),
        ),
        (
            (x, y + tall / 2 - bar),
            (x + wide, y + tall / 2 - bar),
            (x + wide, y + tall / 2 + bar),
            (x, y + tall / 2 + bar),
        ),
    ):
        sketch.lay(cross, (0.10, 0.06, 0.04))


def cabin(stage: Stage, spot: Spot, x: float) -> Layer:
    """A log cabin seen from a corner, nine metres long: a gable with a door, a long wall under the roof's slope."""
    rng = stage.rng("cabin")
    sketch = Sketch(stage, spot, 13.0, 8.0, below=1.0)
    red = stage.reading.has("barn")
    wood: Rgb = (0.26, 0.045, 0.03) if red else (0.145, 0.080, 0.042)
    snowy = stage.reading.has("snow", "snowfall")
    roof: Rgb = SNOW if snowy else (0.075, 0.060, 0.055)
    gable, edge, far = -4.6, -0.6, 5.2
    ridge_x, ridge_y, eave = (gable + edge) / 2, 6.0, 2.9
    sketch.lay(((1.7, eave + 1), (2.7, eave + 1), (2.7, 6.9), (1.7, 6.9)), (0.16, 0.13, 0.12), 0.3)
    if snowy:
        sketch.lay(((1.6, 6.9), (2.8, 6.9), (2.7, 7.25), (1.7, 7.25)), SNOW)
    sketch.lay(((edge, -1), (far, -1), (far, eave), (edge, eave)), wood, 0.75)
    sketch.lay(((gable, -1), (edge, -1), (edge, eave), (ridge_x, ridge_y), (gable, eave)), wood, -0.55)
    for y in np.arange(0.1, eave, 0.42):
        sketch.lay(((gable, y), (far, y), (far, y + 0.07), (gable, y + 0.07)), (0.05, 0.028, 0.016), 0.3)
    back = far - 0.5
    sketch.lay(((edge + 0.45, eave - 0.35), (far + 0.5, eave - 0.35), (back, ridge_y), (ridge_x, ridge_y)), roof, 0.55)
    over = 0.30 if snowy else 0.20
    for foot in (gable - 0.5, edge + 0.45):
        out = (foot, eave - 0.35)
        sketch.lay((out, (out[0], out[1] + over), (ridge_x, ridge_y + over), (ridge_x, ridge_y)), roof, -0.3)
    sketch.lay(((-3.2, -0.9), (-2.2, -0.9), (-2.2, 1.9), (-3.2, 1.9)), (0.09, 0.045, 0.024), -0.4)
    _window(sketch, stage, -1.85, 0.9, 0.8, 0.9)
    _window(sketch, stage, ridge_x - 0.4, 3.5, 0.8, 0.8)
    for left in (0.5, 2.9):
        _window(sketch, stage, left + float(rng.uniform(-0.1, 0.1)), 0.8, 1.2, 1.1)
    return sketch.layer(x, "cabin")


def castle(stage: Stage, spot: Spot, x: float) -> Layer:
    """A castle: a wall with a gate between round towers, a keep behind, pointed roofs."""
    rng = stage.rng("castle")
    sketch = Sketch(stage, spot, 64.0, 50.0, below=8.0)
    stone: Rgb = (0.27, 0.245, 0.215)
    slate: Rgb = (0.060, 0.072, 0.100) if rng.random() < 0.5 else (0.20, 0.075, 0.045)

    def tower(at: float, half: float, tall: float) -> None:
        part = Shifted(sketch, at)
        part.drum((half * 1.05, -8), (half, tall), stone)
        part.drum((half * 1.22, tall), (half * 1.22, tall + 1.8), stone)
        part.drum((half * 1.32, tall + 1.8), (0.02, tall + 1.8 + 3.1 * half), slate)
        for up in np.arange(0.35, 0.95, 0.24):
            _slit(part, stage, up * tall, half)

    for at, tall in ((-13.0, 27.0), (9.0, 31.0)):
        tower(at, 3.4, tall * float(rng.uniform(0.92, 1.08)))
    keep = ((-8.5, -8), (5.5, -8), (5.5, 22), (-8.5, 22))
    sketch.lay(keep, stone, 0.15)
    _battlements(sketch, -8.5, 5.5, 22, stone)
    tower(-1.5, 3.0, 34.0)
    for row in (9, 14, 18):
        for column in (-6.4, -3.9, 1.3, 3.6):
            _slit(Shifted(sketch, column), stage, row, 1.2)
    sketch.lay(((-24, -8), (22, -8), (22, 10), (-24, 10)), stone, -0.1)
    _battlements(sketch, -24, 22, 10, stone)
    arch = [(2.0 * float(np.cos(a)), 4.4 + 2.0 * float(np.sin(a))) for a in np.linspace(0, np.pi, 12)]
    sketch.lay(((2.0, -8), *arch, (-2.0, -8)), (0.02, 0.016, 0.014))
    for at in (-24.0, 22.0, -4.6, 4.6):
        tower(at, 3.0 if abs(at) > 9 else 2.3, 15.0 * float(rng.uniform(0.9, 1.15)))
    return sketch.layer(x, "castle")


class Shifted:
    """A sketch whose middle is moved to the side."""

    def __init__(self, sketch: Sketch, x: float) -> None:
        self._sketch, self._x = sketch, x

    def drum(self, low: tuple[float, float], high: tuple[float, float], albedo: Rgb) -> None:
        """As Sketch.drum."""
        before = self._sketch.middle
        self._sketch.middle = before + self._x
        self._sketch.drum(low, high, albedo)
        self._sketch.middle = before

    def box(self, half: float, low: float, high: float) -> tuple[tuple[float, float], ...]:
        """The corners of an upright box around the moved middle."""
        x = self._x
        return (x - half, low), (x + half, low), (x + half, high), (x - half, high)

    def lay(self, half: float, low: float, high: float, albedo: Rgb) -> None:
        """An upright box."""
        self._sketch.lay(self.box(half, low, high), albedo)

    def glow(self, half: float, low: float, high: float, power: float) -> None:
        """An upright box of lamp light."""
        self._sketch.glow(self.box(half, low, high), LAMP, power)


def _slit(part: Shifted, stage: Stage, y: float, half: float) -> None:
    wide = 0.14 * half
    if lamps(stage) > 0.6:
        part.glow(wide, y, y + 1.5, lamps(stage))
    else:
        part.lay(wide, y, y + 1.5, (0.015, 0.014, 0.014))


def _battlements(sketch: Sketch, left: float, right: float, y: float, stone: Rgb) -> None:
    for x in np.arange(left, right - 0.5, 2.0):
        sketch.lay(((x, y - 0.1), (x + 1.1, y - 0.1), (x + 1.1, y + 1.3), (x, y + 1.3)), stone, 0.1)


def windmill(stage: Stage, spot: Spot, x: float) -> Layer:
    """The tower and cap of a windmill; its sails turn (mill.py)."""
    sketch = Sketch(stage, spot, 14.0, 17.0, below=2.0)
    sketch.drum((4.0, -2), (2.6, 10.5), (0.62, 0.56, 0.48))
    sketch.drum((2.9, 10.3), (2.7, 11.2), (0.10, 0.065, 0.05))
    sketch.drum((2.7, 11.2), (0.6, 14.4), (0.14, 0.075, 0.05))
    sketch.lay(((-0.8, -2), (0.8, -2), (0.8, 2.3), (-0.8, 2.3)), (0.08, 0.045, 0.03))
    for y in (4.6, 7.6):
        _window(sketch, stage, -0.5, y, 1.0, 1.2)
    return sketch.layer(x, "windmill")


def lighthouse(stage: Stage, spot: Spot, x: float) -> Layer:
    """A white tower with red bands, a gallery and a lamp room, and the keeper's house beside it."""
    sketch = Sketch(stage, spot, 26.0, 34.0, below=5.0)
    white, red = (0.56, 0.54, 0.51), (0.42, 0.04, 0.03)
    side = 1.0 if stage.focus < 0.5 else -1.0
    low, high = sorted((side * 3.0, side * 11.0))
    sketch.lay(((low, -5), (high, -5), (high, 3.4), (low, 3.4)), white, 0.2 * side)
    sketch.lay(((low - 0.6, 3.2), (high + 0.6, 3.2), (high - 1.4, 6.4), (low + 1.4, 6.4)), (0.30, 0.07, 0.045), 0.1)
    for at in (low + 1.6, high - 3.0):
        _window(sketch, stage, at, 0.8, 1.3, 1.5)
    edges = np.linspace(-5.0, 24.0, 8)
    for n, (a, b) in enumerate(pairwise(edges)):
        wide = [3.4 - 1.35 * (y + 5) / 29 for y in (a, b)]
        sketch.drum((wide[0], float(a)), (wide[1], float(b)), red if n % 2 else white)
    sketch.drum((2.75, 24.0), (2.75, 24.6), (0.05, 0.045, 0.045))
    for post in np.linspace(-2.6, 2.6, 9):
        sketch.lay(((post, 24.6), (post + 0.12, 24.6), (post + 0.12, 25.9), (post, 25.9)), (0.05, 0.045, 0.045))
    sketch.lay(((-2.7, 25.8), (2.7, 25.8), (2.7, 25.95), (-2.7, 25.95)), (0.05, 0.045, 0.045))
    power = max(lamps(stage), 0.5) * 1.6
    sketch.glow(((-1.5, 24.6), (1.5, 24.6), (1.5, 27.6), (-1.5, 27.6)), (1.0, 0.86, 0.55), power)
    for bar in (-1.5, -0.55, 0.45, 1.4):
        sketch.lay(((bar, 24.6), (bar + 0.12, 24.6), (bar + 0.12, 27.6), (bar, 27.6)), (0.06, 0.03, 0.03))
    sketch.drum((2.0, 27.6), (0.25, 30.0), red)
    sketch.lay(((-0.08, 30.0), (0.08, 30.0), (0.08, 31.6), (-0.08, 31.6)), (0.05, 0.05, 0.05))
    return sketch.layer(x, "lighthouse")


LAMP_HEIGHT = 26.1
"""Metres from a lighthouse's foot to its lamp."""
DECK = 24.0
"""Metres from a viaduct's foot to its rails."""


def viaduct(stage: Stage, spot: Spot, wide: float) -> Layer:
    """Stone arches from one side of the frame to the other, `wide` metres; the spot's row is the rails'."""
    sketch = Sketch(stage, spot, wide, 3.0, below=DECK + 2)
    stone: Rgb = (0.30, 0.25, 0.20)
    half, span, pier = wide / 2, 11.0, 2.6
    sketch.lay(((-half, -9.5), (half, -9.5), (half, -0.2), (-half, -0.2)), stone, 0.25)
    sketch.lay(((-half, -0.9), (half, -0.9), (half, 0.0), (-half, 0.0)), (0.36, 0.31, 0.25), 0.5)
    sketch.lay(((-half, -1.2), (half, -1.2), (half, -0.9), (-half, -0.9)), (0.10, 0.08, 0.07))
    for x in np.arange(-half + 1, half, span):
        sketch.lay(
            ((x - pier / 2, -DECK - 2), (x + pier / 2, -DECK - 2), (x + pier / 2, -3), (x - pier / 2, -3)), stone, 0.25
        )
        dark = (
            (x - pier / 2 - 0.7, -DECK - 2),
            (x - pier / 2, -DECK - 2),
            (x - pier / 2, -4.4),
            (x - pier / 2 - 0.4, -4.4),
        )
        sketch.lay(dark, stone, -0.8)
        sketch.open_arch(x + pier / 2, x + span - pier / 2 - 0.6, -DECK - 2, -2.6)
    return sketch.layer(stage.width / 2, "viaduct", spot.row)
