"""A spacecraft under way: a long hull with wings and lights, its engines glowing."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import array, mix
from rushes.engines.animatic.painter.raster import Field, filled, resized, single
from rushes.engines.animatic.painter.splat import splat
from rushes.engines.animatic.painter.sprite import Sprite, make_sprite, place, turned
from rushes.engines.animatic.painter.stage import Stage

WIDE, TALL = 720, 240
# Outlines in shares of the width: right, and down from the middle line; the bow is at the right.
HULL = ((0.955, 0.012), (0.90, -0.008), (0.80, -0.026), (0.66, -0.040), (0.52, -0.048), (0.44, -0.085), (0.33, -0.088),
        (0.29, -0.050), (0.13, -0.050), (0.12, -0.014), (0.12, 0.040), (0.30, 0.056), (0.62, 0.048),
            (0.84, 0.032))  # fmt: skip
LOWER = ((0.955, 0.012), (0.12, 0.016), (0.12, 0.040), (0.30, 0.056), (0.62, 0.048), (0.84, 0.032))
WING = ((0.50, 0.014), (0.20, 0.120), (0.105, 0.128), (0.10, 0.104), (0.23, 0.022))
FIN = ((0.36, -0.080), (0.20, -0.150), (0.135, -0.152), (0.20, -0.050))
CANOPY = ((0.80, -0.024), (0.74, -0.044), (0.67, -0.050), (0.66, -0.038), (0.74, -0.030))
NOZZLES = (-0.034, 0.0, 0.030)


def _drawing(stage: Stage) -> Sprite:
    rng = stage.rng("spacecraft")
    fine = 2
    rgb: Field = np.zeros((TALL * fine, WIDE * fine, 3), np.float32)
    alpha: Field = np.zeros(rgb.shape[:2], np.float32)

    def lay(outline: tuple[tuple[float, float], ...], colour: Field) -> None:
        points = np.array(outline) * WIDE + (0, TALL / 2)
        left, top = (max(int(value * fine) - 2, 0) for value in points.min(axis=0))
        right, low = (int(value * fine) + 3 for value in points.max(axis=0))
        window = np.s_[top:low, left:right]
        mask = np.zeros(alpha[window].shape, np.uint8)
        filled(mask, points - (left / fine, top / fine), 255, fine)
        share = single(mask / np.float32(255))
        rgb[window] += (colour - rgb[window]) * share[..., None]
        alpha[window] += (1 - alpha[window]) * share

    metal: Field = array((0.55, 0.56, 0.60))
    lay(FIN, metal * 0.22)
    lay(HULL, metal * 0.52)
    lay(LOWER, metal * 0.10)
    for _ in range(70):
        x, y = float(rng.uniform(0.13, 0.80)), float(rng.uniform(-0.046, 0.042))
        wide, tall = float(rng.uniform(0.008, 0.05)), float(rng.uniform(0.003, 0.010))
        if alpha[int((y * WIDE + TALL / 2) * fine), int(x * WIDE * fine)] < 1:
            continue
        box = ((x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall))
        lay(box, metal * np.float32((0.42 if y < 0.012 else 0.08) * rng.uniform(0.7, 1.35)))
    lay(WING, metal * 0.30)
    lay(((0.20, 0.120), (0.105, 0.128), (0.103, 0.118), (0.21, 0.110)), array((0.62, 0.06, 0.03)) * 0.8)
    lay(((0.62, -0.041), (0.60, -0.041), (0.585, 0.050), (0.605, 0.050)), array((0.62, 0.06, 0.03)) * 0.6)
    lay(CANOPY, array((0.30, 0.70, 1.0)) * 0.9)
    for x in np.arange(0.20, 0.56, 0.022):
        if rng.random() < 0.7:
            lay(((x, 0.0), (x + 0.008, 0.0), (x + 0.008, 0.006), (x, 0.006)), array((1.5, 1.2, 0.7)))
    for y in NOZZLES:
        lay(((0.125, y - 0.013), (0.125, y + 0.013), (0.098, y + 0.016), (0.098, y - 0.016)), array((0.10, 0.10, 0.11)))
        lay(((0.102, y - 0.011), (0.102, y + 0.011), (0.097, y + 0.011), (0.097, y - 0.011)), array((0.8, 1.6, 3.0)))
    # Rim of light along the upper edge.
    shade = np.clip(1.25 - np.cumsum(alpha, axis=0) / (10 * fine), 0, 1)[..., None] * alpha[..., None]
    rgb = single(rgb + shade * array((0.55, 0.52, 0.48)) * 0.7)
    size = (WIDE, TALL)
    alpha_small = resized(alpha, size, area=True)
    return make_sprite(
        single(resized(single(rgb), size, area=True) / np.maximum(alpha_small, 0.02)[..., None]), alpha_small
    )


class Spacecraft:
    """Crosses before the stars on a slow slant, its drive flickering."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("spacecraft way")
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        self._sprite = _drawing(stage)
        if self._way < 0:
            self._sprite = Sprite(np.ascontiguousarray(self._sprite.pixels[:, ::-1]))
        self._low = float(rng.uniform(0.66, 0.76))
        self._size = float(rng.uniform(0.44, 0.54)) * min(stage.unit, 0.75 * stage.width)
        self._chance = rng.random((3, 64))
        self._tint = mix((0.3, 0.6, 1.0), (0.6, 0.8, 1.0), float(rng.random()))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        part = i / max(stage.count - 1, 1)
        t = stage.seconds(i)
        grow = 1 + 0.35 * part
        x = stage.width * (0.5 + self._way * (0.46 * part - 0.30)) + float(stage.path.x[i]) * 0.5 * stage.width
        y = stage.height * (self._low - 0.10 * part) + 0.004 * stage.unit * np.sin(1.3 * t)
        lean = -self._way * 0.13
        scale = self._size * grow / WIDE
        self._drive(canvas, (x, float(y)), lean, scale * WIDE, t)
        place(canvas, self._sprite, turned(scale, lean, (WIDE / 2, TALL / 2), (float(x), float(y))))

    def _drive(self, canvas: Canvas, at: tuple[float, float], lean: float, size: float, t: float) -> None:
        ahead = np.array((np.cos(lean), np.sin(lean))) * self._way
        down = np.array((-np.sin(lean), np.cos(lean)))
        flicker = 0.85 + 0.15 * np.sin(37 * t) * np.sin(23 * t)
        for nozzle in NOZZLES:
            start = np.array(at) + ahead * (-0.402 * size) + down * nozzle * size
            s = np.linspace(0, 1, 26)
            x, y = start[0] - ahead[0] * s * 0.30 * size, start[1] - ahead[1] * s * 0.30 * size
            power = 150 * flicker * (1 - s) ** 1.6
            radius = max(0.011 * size, 0.7)
            splat(canvas.y, x, y, power * 0.55, radius)
            splat(canvas.y, x[:6], y[:6], power[:6] * 0.35, radius * 3)
            splat(canvas.u, x / 2, y / 2, 60 * (1 - s), max(radius, 0.7))
            splat(canvas.v, x / 2, y / 2, -26 * (1 - s), max(radius, 0.7))
