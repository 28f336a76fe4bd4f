"""A small sailing boat with its reflection, rocking on the waves."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import array, mix
from rushes.engines.animatic.painter.raster import Field, Floats, filled, sampled, single, strokes
from rushes.engines.animatic.painter.sprite import Sprite, make_sprite, place, turned
from rushes.engines.animatic.painter.stage import Stage

SIZE = 400
"""Rows and columns that the boat is drawn in; its waterline is at WATERLINE."""
WATERLINE = 0.90

# Outlines in shares of the drawing: right, down.
HULL = ((0.20, 0.845), (0.30, 0.855), (0.50, 0.857), (0.70, 0.850), (0.845, 0.825), (0.79, 0.885), (0.74, 0.915),
        (0.28, 0.915), (0.225, 0.885))  # fmt: skip
MAIN = ((0.495, 0.075), (0.490, 0.800), (0.475, 0.812), (0.205, 0.812), (0.235, 0.70), (0.300, 0.52), (0.385, 0.31),
        (0.455, 0.155))  # fmt: skip
JIB = ((0.515, 0.135), (0.800, 0.815), (0.640, 0.822), (0.520, 0.800), (0.545, 0.62), (0.540, 0.42), (0.526, 0.25))


def _mask(outline: tuple[tuple[float, float], ...]) -> Field:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    filled(mask, np.array(outline), 255, scale=SIZE)
    return single(mask / np.float32(255))


def _drawing(stage: Stage) -> tuple[Field, Field]:
    """The boat as scene-linear RGB and alpha; sails glow where the sun stands behind them."""
    light = stage.light
    rgb = np.zeros((SIZE, SIZE, 3), np.float32)
    alpha = np.zeros((SIZE, SIZE), np.float32)
    across, down = np.meshgrid(np.linspace(0, 1, SIZE, dtype=np.float32), np.linspace(0, 1, SIZE, dtype=np.float32))
    lit = array(mix(light.key, light.sun, 0.35)) * 0.42 + array(light.fill) * 0.9
    cloth = array((0.90, 0.86, 0.80)) * lit

    def lay(mask: Floats, colour: Floats) -> None:
        nonlocal rgb, alpha
        rgb = single(rgb * (1 - mask[..., None]) + colour * mask[..., None])
        alpha = single(alpha * (1 - mask) + mask)

    mast = np.zeros((SIZE, SIZE), np.uint8)
    for pole, thick in (((0.502, 0.05), (0.502, 0.86)), 4), (((0.20, 0.818), (0.50, 0.818)), 3):
        strokes(mast, [np.round(np.array(pole) * SIZE * 16).astype(np.int32)], (255,), thick)
    belly = np.clip(0.62 + 0.9 * (across - 0.25) * (1.1 - down), 0.4, 1.25)
    seams = 1 - 0.07 * (np.abs(np.sin(down * 34)) < 0.10)
    lay(_mask(MAIN), cloth * (belly * seams)[..., None])
    lay(_mask(JIB), cloth * (np.clip(1.30 - 0.9 * (across - 0.5), 0.5, 1.3) * seams)[..., None] * 0.82)
    lay(mast.astype(np.float32) / 255, np.broadcast_to(array((0.05, 0.035, 0.025)), rgb.shape))
    wood = array((0.030, 0.022, 0.020)) + array(light.fill) * 0.10
    stripe = smooth_band(down, 0.862, 0.010)[..., None] * array((0.5, 0.45, 0.4)) * array(light.fill)
    lay(_mask(HULL), np.broadcast_to(wood, rgb.shape) + stripe)
    return rgb.astype(np.float32), alpha


def smooth_band(x: Field, centre: float, width: float) -> Field:
    """1 at `centre`, falling off as a Gaussian of this width."""
    return np.exp(-(((x - np.float32(centre)) / np.float32(width)) ** 2)).astype(np.float32)


class Boat:
    """Sails slowly across the water, its reflection broken by the same ripples."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rgb, alpha = _drawing(stage)
        self._boat: Sprite = make_sprite(rgb, alpha)
        self._way = -1.0 if stage.sun_x > stage.width / 2 else 1.0
        self._scale = 0.27 * stage.unit / SIZE
        self._row = stage.horizon + 0.055 * stage.unit
        self._phase = float(stage.rng("boat").uniform(0, 6.28))

    def _mirrored(self, t: float) -> Sprite:
        """The reflection: upside down, rows swinging sideways, fading with depth."""
        waterline = int(WATERLINE * SIZE)
        pixels = np.ascontiguousarray(self._boat.pixels[:waterline][::-1])
        rows = np.arange(waterline, dtype=np.float32)
        swing = (rows / waterline + 0.06) * 26 * np.sin(0.085 * rows**0.93 - 3.1 * t + 2.2 * np.sin(rows * 0.021 + t))
        x = np.arange(SIZE, dtype=np.float32)[None, :] + swing[:, None].astype(np.float32)
        y = np.repeat((rows * 0.98)[:, None], SIZE, axis=1).astype(np.float32)
        moved = sampled(pixels, x, y)
        fade = (0.62 * (1 - rows / waterline) ** 0.8)[:, None, None]
        return Sprite((moved * fade).astype(np.uint8))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i)
        progress = i / max(stage.count - 1, 1) - 0.5
        calm = 0.5 if stage.reading.has("calm") else 1.0
        roll = calm * (0.030 * np.sin(t * 1.15 + self._phase) + 0.014 * np.sin(t * 1.9))
        bob = calm * 0.0042 * stage.unit * np.sin(t * 1.4 + self._phase + 0.8)
        path = stage.path
        zoom = 1 + 0.35 * float(path.zoom[i])
        centre = 0.5 * stage.width - self._way * (0.14 - 0.13 * progress) * min(stage.width, stage.unit * 1.6)
        x = stage.width / 2 + (centre - stage.width / 2) * zoom + float(path.x[i]) * 0.35 * stage.width
        row = stage.horizon + (self._row - stage.horizon) * zoom + bob + float(path.y[i]) * 0.35 * stage.height
        size = self._scale * zoom
        mirror = turned(size, -float(roll), (0.5 * SIZE, 0.0), (float(x), float(row)))
        mirror[1, 1] *= 0.72
        place(canvas, self._mirrored(t), mirror)
        place(canvas, self._boat, turned(size, float(roll), (0.5 * SIZE, WATERLINE * SIZE), (float(x), float(row))))
