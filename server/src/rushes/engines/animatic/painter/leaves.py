"""Leaves and petals in the air: small blades that fall, swing and turn over."""

from __future__ import annotations

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array, yuv
from rushes.engines.animatic.painter.raster import Field, single
from rushes.engines.animatic.painter.stage import Stage

AUTUMN: tuple[Rgb, ...] = ((0.62, 0.20, 0.025), (0.72, 0.38, 0.03), (0.42, 0.055, 0.02), (0.50, 0.27, 0.06))
PETAL: tuple[Rgb, ...] = ((0.86, 0.52, 0.60), (0.90, 0.68, 0.72), (0.80, 0.38, 0.50))
GREEN: tuple[Rgb, ...] = ((0.12, 0.20, 0.03), (0.22, 0.28, 0.05))


class Leaves:
    """Three depths of them, blown to one side; each falls in a zigzag of its own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("leaves")
        reading = stage.reading
        petals = reading.has("petals", "spring")
        colours = PETAL if petals else AUTUMN if reading.has("autumn", "leaves") else GREEN
        light = stage.light
        shine = single(array(light.fill) * 1.5 + array(light.key) * 0.75)
        self._colours = [yuv(_lit(colour, shine)) for colour in colours]
        area = max(stage.width / stage.unit, 0.8)
        self._groups = [
            (size * stage.unit, speed, rng.random((8, max(2, int(count * area)))))
            for size, speed, count in ((0.0042, 0.055, 46), (0.0075, 0.085, 26), (0.0150, 0.15, 7))
        ]
        self._wind = 0.075 * (1 if rng.random() < 0.5 else -1) * (2.4 if reading.has("wind", "storm") else 1.0)
        self._petals = petals

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i) * min(stage.tempo, 1.5)
        for size, speed, (x0, y0, fall, sway, phase, rate, spin, tint) in self._groups:
            pad = 4 * size
            high, wide = stage.height + 2 * pad, stage.width + 2 * pad
            y = (y0 * high + t * speed * (0.6 + 0.8 * fall) * stage.unit) % high - pad
            swing = np.sin(6.28 * phase + t * (1.0 + 1.6 * rate))
            x = (
                x0 * wide + (self._wind * (0.6 + fall) * t * 1.4 + 0.03 * (0.4 + sway) * swing) * stage.unit
            ) % wide - pad
            turn = 6.28 * spin + 0.8 * swing + t * (rate - 0.5)
            # Turning over, a blade shows its edge.
            flat = np.abs(np.cos(6.28 * tint + t * (1.5 + 2 * rate)))
            for n in range(len(x)):
                self._blade(
                    canvas, (float(x[n]), float(y[n])), size, float(turn[n]), float(flat[n]), int(tint[n] * 997)
                )

    def _blade(self, canvas: Canvas, at: tuple[float, float], size: float, turn: float, flat: float, pick: int) -> None:
        colour = self._colours[pick % len(self._colours)]
        gain = 0.75 + 0.35 * flat
        along = size * (0.75 if self._petals else 1.0)
        across = along * (0.18 + (0.50 if self._petals else 0.40) * flat)
        for plane, value, scale in (
            (canvas.y, colour[0] * gain, 16.0),
            (canvas.u, colour[1], 8.0),
            (canvas.v, colour[2], 8.0),
        ):
            centre = (round(at[0] * scale), round(at[1] * scale))
            axes = (max(round(along * scale), 8), max(round(across * scale), 8))
            cv2.ellipse(plane, centre, axes, float(np.degrees(turn)), 0, 360, min(int(value), 235), -1, cv2.LINE_AA, 4)


def _lit(colour: Rgb, shine: Field) -> Rgb:
    r, g, b = (float(a * c) for a, c in zip(colour, shine, strict=True))
    return r, g, b
