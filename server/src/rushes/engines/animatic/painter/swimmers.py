"""Whales and dolphins that leap out of the water, with the spray they throw."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, yuv
from rushes.engines.animatic.painter.figure import Group, Points, Pose, draw, rounded
from rushes.engines.animatic.painter.raster import Field, as_bytes, resized, single
from rushes.engines.animatic.painter.splat import splat
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage

Corners = tuple[tuple[float, float], ...]
# Outlines along the body: x ahead (nose at the right), y up, in body lengths.
WHALE: Corners = (
    (0.50, 0.012), (0.44, 0.062), (0.33, 0.090), (0.16, 0.100), (0.00, 0.094), (-0.12, 0.088), (-0.165, 0.112),
    (-0.20, 0.074), (-0.34, 0.040), (-0.45, 0.026), (-0.47, 0.0), (-0.44, -0.018), (-0.30, -0.044), (-0.10, -0.085),
    (0.08, -0.108), (0.26, -0.110), (0.40, -0.078), (0.48, -0.030),
)  # fmt: skip
WHALE_BELLY: Corners = (
    (0.49, -0.010),
    (0.36, -0.030),
    (0.18, -0.050),
    (0.02, -0.060),
    (0.06, -0.108),
    (0.26, -0.110),
    (0.41, -0.075),
)
WHALE_FIN: Corners = (
    (0.20, -0.03),
    (0.13, -0.10),
    (0.00, -0.24),
    (-0.045, -0.265),
    (-0.03, -0.20),
    (0.06, -0.06),
    (0.13, -0.02),
)
WHALE_FLUKE: Corners = ((-0.44, 0.02), (-0.52, 0.055), (-0.585, 0.150), (-0.600, 0.085), (-0.575, 0.0),
    (-0.600, -0.085), (-0.585, -0.140),
                        (-0.52, -0.045), (-0.44, -0.015))  # fmt: skip
DOLPHIN: Corners = (
    (0.52, 0.000), (0.42, 0.020), (0.385, 0.060), (0.28, 0.090), (0.10, 0.105), (0.02, 0.100), (-0.085, 0.185),
    (-0.095, 0.085), (-0.28, 0.040), (-0.44, 0.014), (-0.44, -0.010), (-0.26, -0.035), (-0.02, -0.085), (0.20, -0.085),
    (0.36, -0.045), (0.42, -0.020),
)  # fmt: skip
DOLPHIN_BELLY: Corners = (
    (0.50, -0.005),
    (0.34, -0.012),
    (0.10, -0.040),
    (-0.05, -0.070),
    (0.06, -0.088),
    (0.22, -0.083),
    (0.38, -0.040),
)
DOLPHIN_FIN: Corners = ((0.20, -0.04), (0.12, -0.10), (0.04, -0.19), (0.03, -0.16), (0.09, -0.06))
DOLPHIN_FLUKE: Corners = (
    (-0.42, 0.012),
    (-0.50, 0.06),
    (-0.56, 0.075),
    (-0.52, 0.0),
    (-0.55, -0.06),
    (-0.48, -0.035),
    (-0.42, -0.010),
)


def _bowed(corners: Corners, long: float, bow: float) -> Points:
    """An outline in metres, its ends bent down by `bow` (body lengths)."""
    points = rounded(*corners)
    points[:, 1] -= bow * points[:, 0] ** 2 * 2
    return points * long


class Swimmers:
    """One leap after the other. `metre` belongs to the spot; the water's surface is its ground."""

    def __init__(self, stage: Stage, spot: Spot, name: str, count: int) -> None:
        self._stage, self._spot = stage, spot
        rng = stage.rng("swimmers")
        self._whale = name == "whale"
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        number = max(1, count if self._whale else max(count, 2))
        self._long = 13.0 if self._whale else 2.6
        self._leaps = [
            (stage.width * float(np.clip(stage.focus + (0.24 * n * (-1) ** n), 0.15, 0.85)),
                float(rng.uniform(0.85, 1.1)),
             0.5 if n == 0 else float(rng.uniform(0.35, 0.70)))
            for n in range(min(number, 4))
        ]  # fmt: skip
        self._spray = rng.random((6, 420))

    def paint(self, canvas: Canvas, i: int) -> None:
        length = self._stage.seconds(self._stage.count)
        t = self._stage.seconds(i)
        for x, size, at in self._leaps:
            # From breaking the surface to falling back; slow for something so large, slower still in slow motion.
            air = (3.4 if self._whale else 1.5) * size / (0.75 if self._stage.tempo < 1 else 1.0)
            part = (t - at * length) / air + 0.5
            if self._whale:
                self._breach(canvas, x, size, part, t, i)
            else:
                self._arc(canvas, x, size, part % 2.2, t, i)

    def _breach(self, canvas: Canvas, x: float, size: float, part: float, t: float, i: int) -> None:
        if not -0.05 < part < 1.5:
            return
        u = float(np.clip(part, 0, 1))
        rise = float(np.sin(np.pi * u**0.85))
        turn = 1.30 - 1.55 * u
        up = (-0.40 + 0.66 * rise) * self._long * size
        self._beast(canvas, x, up, turn, size, i, (WHALE, WHALE_BELLY, WHALE_FIN, WHALE_FLUKE), 0.06)
        self._splash(canvas, x, part, 1.0 * size, i)

    def _arc(self, canvas: Canvas, x: float, size: float, part: float, t: float, i: int) -> None:
        if part > 1.4:
            return
        u = float(np.clip(part, 0, 1))
        ahead = (u - 0.5) * 1.5 * self._long
        up = (-0.30 + 1.0 * 4 * u * (1 - u) * 0.62) * self._long * size
        parts = (DOLPHIN, DOLPHIN_BELLY, DOLPHIN_FIN, DOLPHIN_FLUKE)
        shifted = x + self._way * ahead * self._spot.metre
        self._beast(canvas, shifted, up, 0.95 - 1.9 * u, size, i, parts, 0.16)
        self._splash(canvas, x + self._way * (0.75 if part > 0.6 else -0.6) * self._long * self._spot.metre,
                     part if part < 0.6 else part - 0.75, 0.35 * size, i)  # fmt: skip

    def _beast(self, canvas: Canvas, x: float, up: float, turn: float, size: float, i: int,
               parts: tuple[Corners, ...], bow: float) -> None:  # fmt: skip
        stage, spot = self._stage, self._spot
        column, row, s = spot.seen(stage, x, spot.row, i)
        metre = spot.metre * s
        skin: Rgb = (0.035, 0.042, 0.052) if self._whale else (0.085, 0.105, 0.130)
        pale: Rgb = (0.34, 0.35, 0.36) if self._whale else (0.34, 0.36, 0.38)
        long = self._long * size
        body, belly, fin, fluke = (_bowed(part, long, bow) for part in parts)
        c, q = float(np.cos(turn)), float(np.sin(turn))
        groups = [
            Group([np.stack([o[:, 0] * c - o[:, 1] * q, o[:, 0] * q + o[:, 1] * c + up], axis=1) for o in outlines],
                albedo)
            for outlines, albedo in (([fluke, body], skin), ([belly], pale), ([fin], skin))
        ]  # fmt: skip
        # What is under the surface is cut off along a ragged line.
        above = [Group([np.maximum(o, (-np.inf, -0.4)) for o in g.outlines], g.albedo) for g in groups]
        draw(canvas, stage, above, Pose(column, row, metre, self._way, spot.haze, sunk=0.05), i * 0.4)

    def _splash(self, canvas: Canvas, x: float, part: float, size: float, i: int) -> None:
        """Drops thrown up when it breaks the surface and when it falls back, and foam around it."""
        stage, spot = self._stage, self._spot
        column, row, s = spot.seen(stage, x, spot.row, i)
        metre = spot.metre * s
        a, b, c, d, e, f = self._spray
        reach = 11.0 * metre * size
        left, top = max(int(column - reach), 0) & ~3, max(int(row - reach), 0) & ~3
        right, low = min(int(column + reach), canvas.width) & ~3, min(int(row + 0.25 * reach), canvas.height) & ~3
        if right - left < 16 or low - top < 16:
            return
        white = np.zeros(((low - top) // 2, (right - left) // 2), np.float32)
        for begun, power in ((0.0, 0.55), (0.86, 1.0)):
            age = (part - begun) * 1.6 + 0.15
            if not 0 < age < 1.8:
                continue
            life = age / (0.7 + 1.1 * a)
            out = (b - 0.5) * 2
            px = column + metre * size * (out * 2.4 + self._way * 0.8 + out * age * 4.2)
            py = row - metre * size * ((3.0 + 7.5 * c * (1 - 0.6 * np.abs(out))) * power * age * 1.6 - 6.0 * age**2)
            shown = (life < 1) & (py < row + 2)
            shine = 0.85 * (1 - np.clip(life, 0, 1)) * (0.4 + 0.6 * d) * shown
            splat(white, (px - left) / 2, (py - top) / 2, shine, max(0.055 * metre * size, 0.6))
            splat(white, (px - left) / 2, (py - top) / 2, 0.035 * shine, max(0.30 * metre * size, 1.2))
        foam = float(np.clip(1.25 - 0.8 * abs(part - 0.8), 0, 1))
        fx = column + (e - 0.5) * 9.0 * metre * size
        fy = row + (f - 0.35) * 0.5 * metre * size
        splat(white, (fx - left) / 2, (fy - top) / 2, 0.075 * foam * (0.4 + d), max(0.13 * metre * size, 0.7))
        self._whiten(canvas, single(np.minimum(white, 1)), (left, top, right, low))

    def _whiten(self, canvas: Canvas, white: Field, box: tuple[int, int, int, int]) -> None:
        left, top, right, low = box
        for plane, colour, step in zip(
            (canvas.y, canvas.u, canvas.v), foam_colour(self._stage), (1, 2, 2), strict=True
        ):
            window = plane[top // step : low // step, left // step : right // step]
            share = resized(white, (window.shape[1], window.shape[0]))
            window[:] = as_bytes(window + (np.float32(colour) - window) * share)


def foam_colour(stage: Stage) -> tuple[float, float, float]:
    """White water in the scene's light, as Y, U, V."""
    light = stage.light
    lit = tuple(0.9 * a + 0.5 * b for a, b in zip(light.fill, light.key, strict=True))
    return yuv((lit[0], lit[1], lit[2]))
