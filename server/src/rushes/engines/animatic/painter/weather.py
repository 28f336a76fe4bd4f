"""Weather in the air between the camera and the land: snow, rain, fog, embers and fireflies."""

from __future__ import annotations

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, dither, yuv
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import (
    Field,
    Floats,
    Plane,
    as_bytes,
    blurred,
    graded,
    inverted,
    product,
    resized,
    single,
    total,
)
from rushes.engines.animatic.painter.splat import splat
from rushes.engines.animatic.painter.stage import Stage

FOG = 6
"""Fog is a picture this much smaller than the frame."""


class Snow:
    """Flakes in four sizes, nearer ones larger and faster, each with a sway of its own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("snow")
        scale = stage.unit / 720
        area = stage.width / stage.unit
        bright = {"night": 70.0, "neon": 80.0, "day": 120.0}.get(stage.reading.time, 105.0)
        self._groups: list[tuple[float, float, float, Floats]] = []
        # radius in pixels at 720 rows, flakes per unit of width, speed in units per second, brightness
        for radius, count, speed, power in ((0.75, 330, 0.055, 0.55), (1.15, 190, 0.095, 0.75), (1.9, 80, 0.165, 0.8),
                                            (4.6, 12, 0.36, 0.26)):  # fmt: skip
            flakes = rng.random((7, max(2, int(count * area))))
            self._groups.append((max(radius * scale, 0.55), speed, power * bright, flakes))
        self._wind = 0.05 * (1 if rng.random() < 0.5 else -1) * (4.0 if stage.reading.has("wind", "storm") else 1.0)

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i) * min(stage.tempo, 1.5)
        for radius, speed, power, (x0, y0, fall, sway, phase, rate, shine) in self._groups:
            pad = 4 * radius
            high, wide = stage.height + 2 * pad, stage.width + 2 * pad
            y = (y0 * high + t * speed * (0.75 + 0.5 * fall) * stage.unit) % high - pad
            drift = self._wind * speed * 9 * t + 0.012 * (0.4 + sway) * np.sin(6.28 * phase + t * (0.6 + 1.3 * rate))
            x = (x0 * wide + drift * stage.unit) % wide - pad
            splat(canvas.y, x, y, power * (0.45 + 0.55 * shine), radius)


class Rain:
    """Sheets of slanting streaks at three depths."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("rain")
        # A streak is at least a pixel wide, so in small frames it would cover too much.
        fine = float(np.clip(stage.unit / 500, 0.3, 1))
        heavy = 1.6 if stage.reading.has("storm") else 1.0
        self._slant = rng.uniform(0.05, 0.13) * (1 if rng.random() < 0.5 else -1) * heavy
        self._sheets: list[tuple[Plane, float]] = []
        # streaks per unit of width, length and speed in units (per second), brightness, thickness
        for count, length, speed, power, thick in ((520, 0.035, 1.35, 17, 1), (230, 0.075, 2.1, 24, 1),
                                                   (46, 0.17, 3.3, 26, 2)):  # fmt: skip
            sheet = self._sheet(rng, int(count * heavy * stage.width / stage.unit), length, power * fine, thick)
            self._sheets.append((sheet, speed))

    def _sheet(self, rng: np.random.Generator, count: int, length: float, power: float, thick: int) -> Plane:
        """A periodic picture of streaks, twice the frame in both directions so that any window can be cut out."""
        width, height = self._stage.width, self._stage.height
        tile = np.zeros((height, width), np.float32)
        long = length * self._stage.unit
        for _ in range(count):
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            streak = long * rng.uniform(0.6, 1.3)
            for shift_x in (-width, 0, width):
                for shift_y in (-height, 0):
                    if not (-long < x + shift_x < width + long and -streak < y + shift_y < height):
                        continue
                    start = (int((x + shift_x) * 16), int((y + shift_y) * 16))
                    end = (int((x + shift_x + self._slant * streak) * 16), int((y + shift_y + streak) * 16))
                    cv2.line(tile, start, end, float(power * rng.uniform(0.4, 1.0)), thick, cv2.LINE_8, 4)
        soft = blurred(tile, 0.6 * thick)
        return as_bytes(np.tile(soft, (2, 2)))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        height, width = stage.height, stage.width
        t = stage.seconds(i) * min(stage.tempo, 1.2)
        for sheet, speed in self._sheets:
            down = speed * stage.unit * t
            top = int(-down) % height
            left = int(-down * self._slant) % width
            canvas.y[:] = total(canvas.y, sheet[top : top + height, left : left + width])


class Fog:
    """A bank of drifting fog: thickest at a row, thinning above and below, torn by noise."""

    def __init__(self, stage: Stage, row: float, above: float, below: float, density: float, tag: str,
                 colour: Rgb | None = None, pace: float = 1.0) -> None:  # fmt: skip
        """`row` in pixels; `above` and `below` are its thickness in units."""
        self._stage = stage
        rng = stage.rng("fog " + tag)
        self._first = max(0, int(row - 2.4 * above * stage.unit)) & ~1
        self._last = min(stage.height, int(row + 2.4 * below * stage.unit) + 2) & ~1
        count = max(2, -(-(self._last - self._first) // FOG))
        self._size = (count, -(-stage.width // FOG))
        y = (np.linspace(self._first, self._last, count, dtype=np.float32) - np.float32(row)) / np.float32(stage.unit)
        profile = np.where(y < 0, np.exp(-((y / above) ** 2)), np.exp(-((y / below) ** 2)))
        # The Gaussian has not ended at the bank's first and last row; take the rest off, or a line shows.
        profile = np.clip((profile - 0.004) / 0.996, 0, 1)
        self._profile = (profile * density)[:, None].astype(np.float32)
        x = np.linspace(-0.5, 0.5, self._size[1], dtype=np.float32) * np.float32(stage.width / stage.unit)
        u, v = np.meshgrid(x * 0.42, y * 1.25)
        self._u, self._v = single(u), single(v)
        self._a_v = fraction(self._v + np.float32(0.3)) * 256
        self._tile = wrapped(spectral(rng, 256, 3.2, low=1.5, high=60))
        self._pace = 0.011 * pace * min(stage.tempo, 3) * (1 if rng.random() < 0.5 else -1)
        self._colour = yuv(colour if colour is not None else stage.light.haze)
        self._offset = float(rng.random())
        rows = max(self._last - self._first, 2)
        self._grain = dither(rng, rows, stage.width, 1.0)

    def _cover(self, t: float) -> Field:
        size = 256
        a_u = fraction(self._u + np.float32(self._pace * t + self._offset)) * size
        b_u = fraction(self._u * np.float32(1.9) - np.float32(self._pace * 0.7 * t)) * size
        a = lookup(self._tile, a_u, self._a_v)
        b = lookup(self._tile, b_u, fraction(self._v * np.float32(1.7) + np.float32(0.006 * t)) * size)
        return self._profile * smoothstep(-1.9, 1.5, a + 0.6 * b)

    def paint(self, canvas: Canvas, i: int) -> None:
        if self._last - self._first < 4:
            return
        cover = self._cover(self._stage.seconds(i)) * np.float32(255)
        rows = self._last - self._first
        full = total(resized(cover, (canvas.width, rows)), self._grain)
        veil = as_bytes(full)
        small = resized(veil, (canvas.width // 2, rows // 2), area=True)
        half = slice(self._first // 2, self._last // 2)
        _veil(canvas.y[self._first : self._last], veil, self._colour[0])
        _veil(canvas.u[half], small, self._colour[1])
        _veil(canvas.v[half], small, self._colour[2])


def _veil(dst: Plane, veil: Plane, colour: float) -> None:
    under = product(dst, inverted(veil))
    dst[:] = total(under, graded(veil, colour / 255))


class Sparks:
    """Embers that rise from below, or fireflies that wander and blink; warm points with a halo."""

    def __init__(self, stage: Stage, fireflies: bool) -> None:
        self._stage = stage
        self._fireflies = fireflies
        rng = stage.rng("sparks")
        count = int((44 if fireflies else 90) * max(stage.width / stage.unit, 0.8))
        self._seeds = rng.random((8, count))
        self._radius = max(0.6, (1.7 if fireflies else 1.25) * stage.unit / 720)

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i)
        x0, y0, a, b, c, d, e, f = self._seeds
        if self._fireflies:
            x = x0 * stage.width + 0.06 * stage.unit * np.sin(t * (0.3 + 0.5 * a) + 6.28 * b)
            y = (0.50 + 0.46 * y0) * stage.height + 0.035 * stage.unit * np.sin(t * (0.4 + 0.5 * c) + 6.28 * d)
            shine = np.clip(np.sin(t * (0.9 + 0.9 * e) + 6.28 * f), 0, 1) ** 2
            red, blue = 6.0, -42.0
        else:
            high = stage.height * 1.1
            rise = (y0 * high + t * (0.10 + 0.16 * a) * stage.unit) % high
            y = stage.height * 1.05 - rise
            x = x0 * stage.width + 0.03 * stage.unit * np.sin(t * (0.9 + b) + 6.28 * c) + 0.05 * rise * (d - 0.5)
            shine = (0.45 + 0.55 * np.sin(t * (4 + 5 * e) + 6.28 * f) ** 2) * np.clip(1.15 - rise / high, 0, 1)
            red, blue = 62.0, -46.0
        splat(canvas.y, x, y, 190 * shine, self._radius)
        splat(canvas.y, x, y, 34 * shine, self._radius * 4)
        splat(canvas.u, x / 2, y / 2, blue * shine, self._radius * 1.6)
        splat(canvas.v, x / 2, y / 2, red * shine, self._radius * 1.6)
