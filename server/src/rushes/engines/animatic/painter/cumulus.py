"""Cumulus: banks of heaped clouds, each built of spheres, roughened, lit from the sun's side, and kept as one layer.

A cloud is a heap of spheres upon spheres over a flat base, seen from the front: a picture of heights towards the
viewer, bent and roughened by noise. Its slopes give the light, its thin edges glow where the sun stands behind them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rushes.engines.animatic.painter.colour import array
from rushes.engines.animatic.painter.layers import Layer, make_layer, margins
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.puffs import add_sphere, closed, separate
from rushes.engines.animatic.painter.raster import Field, Floats, blurred, resized, sampled, single
from rushes.engines.animatic.painter.stage import Stage

TILE = 512
SHEET = 0.7
"""From this cover on a closed sheet hides the sky above the heaps."""
WORK = 2
"""Heaps are built this much smaller than the frame; only the edges are cut at full size."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Clouds at one distance. Lengths are counted in units of the stage."""

    base: float
    """Height of the flat bases above the horizon; negative for a sea of clouds seen from above."""
    size: float
    """Width of a middling cloud."""
    share: float
    """How much of the width lies under clouds, 0..1."""
    k: float
    haze: float
    """0 clear to 1 lost in the air."""
    pace: float
    """Drift in units per second, to the right."""
    sea: bool = False
    """Closed and opaque from the crests down."""


def cloud_banks(stage: Stage) -> list[Bank]:
    """Separate clouds, far to near: the farther, the smaller, lower, paler and slower."""
    cover = stage.light.cover
    way = _way(stage)
    banks = [
        Bank(base=0.045, size=0.15, share=min(0.9, 1.30 * cover), k=0.05, haze=0.62, pace=0.0025 * way),
        Bank(base=0.105, size=0.28, share=min(0.85, 1.05 * cover), k=0.10, haze=0.40, pace=0.0045 * way),
        Bank(base=0.215, size=0.48, share=0.72 * cover, k=0.18, haze=0.20, pace=0.0080 * way),
    ]
    if cover >= SHEET:
        del banks[0]
    if cover > 0.3:
        banks.append(Bank(base=0.44, size=0.70, share=0.58 * cover, k=0.32, haze=0.05, pace=0.0140 * way))
    return banks


def sea_of_clouds(stage: Stage) -> list[Bank]:
    """Closed banks below the horizon, far to near, down to the bottom of the frame."""
    way = _way(stage)
    depth = (stage.height - stage.horizon) / stage.unit
    banks: list[Bank] = []
    for part in (0.02, 0.055, 0.12, 0.23, 0.42, 0.72):
        size = 0.05 + 0.85 * part
        banks.append(Bank(base=-part * depth, size=size, share=1.0, k=0.06 + 0.94 * part, haze=0.70 * (1 - part) ** 4,
                          pace=(0.002 + 0.02 * part) * way, sea=True))  # fmt: skip
    return banks


@dataclass(slots=True)
class _Frame:
    """Where a bank's picture lies: its size, its margin on either side, its first row and the row of the bases."""

    width: int
    height: int
    side: int
    top: int
    base: float


def drift(stage: Stage, bank: Bank) -> float:
    """Pixels per second to the right."""
    wind = 2.0 if stage.reading.has("wind", "storm") else 1.0
    return bank.pace * stage.unit * stage.tempo * wind


def wind_aloft(stage: Stage) -> float:
    """Pixels per second to the right of what is far above the heaps."""
    return 0.0035 * _way(stage) * stage.unit * stage.tempo


def _way(stage: Stage) -> float:
    return 1.0 if stage.rng("cumulus wind").random() < 0.5 else -1.0


class Heaps:
    """Builds the banks of one scene from shared noise."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("cumulus")
        self._bend = wrapped(
            np.dstack([spectral(rng, TILE, 3.0, low=5, high=90), spectral(rng, TILE, 3.0, low=5, high=90)])
        )
        billows = np.abs(spectral(rng, TILE, 3.1, low=7, high=120)) + 0.5 * np.abs(spectral(rng, TILE, 3.0, low=18))
        self._rough = wrapped(single((billows - billows.mean()) / billows.std()))

    def layer(self, bank: Bank, tag: str) -> Layer:
        """A bank as a layer, wide enough for the camera's path and its own drift."""
        frame = self._frame(bank)
        rng = self._stage.rng("heap " + tag)
        heap = self._roughened(bank, frame, self._heap(bank, frame, rng), rng)
        rgb, alpha = self._lit(bank, frame, heap)
        return make_layer(self._stage, rgb, alpha, bank.k, -frame.side, frame.top, "heap " + tag)

    def _frame(self, bank: Bank) -> _Frame:
        stage = self._stage
        side, above = margins(stage, bank.k)
        side += 2 * int(abs(drift(stage, bank)) * stage.count / stage.fps / 4 + 1)
        base_row = stage.horizon - bank.base * stage.unit
        tall = (0.66 if bank.sea else 0.80) * bank.size * stage.unit
        deep = (0.9 if bank.sea else 0.16) * bank.size * stage.unit + (above if bank.sea else 0)
        top = int(max(base_row - tall, -above)) // 4 * 4
        bottom = int(min(base_row + deep, stage.height + above))
        height = max((bottom - top + 3) // 4 * 4, 8)
        return _Frame((stage.width + 2 * side + 3) // 4 * 4, height, side, top, base_row - top)

    def _heap(self, bank: Bank, frame: _Frame, rng: np.random.Generator) -> Field:
        """Heights towards the viewer in work pixels, 0 where there is no cloud."""
        size = bank.size * self._stage.unit / WORK
        base, width = frame.base / WORK, frame.width / WORK
        puffs = closed(rng, size, base, width) if bank.sea else separate(rng, size, base, width, bank.share)
        heap = np.zeros((frame.height // WORK, frame.width // WORK), np.float32)
        for x, y, radius, near in puffs:
            add_sphere(heap, x, y, radius, near)
        return heap

    def _roughened(self, bank: Bank, frame: _Frame, heap: Field, rng: np.random.Generator) -> Field:
        """Bent and billowing, at full size; still in work pixels."""
        height, width = frame.height, frame.width
        size = bank.size * self._stage.unit
        scale = 0.30 / size
        rows = np.arange(height, dtype=np.float32)[:, None]
        columns = np.arange(width, dtype=np.float32)[None, :]
        offset = rng.random(2).astype(np.float32)
        u = fraction(columns * np.float32(scale) + offset[0] + 0 * rows) * TILE
        v = fraction(rows * np.float32(scale) + offset[1] + 0 * columns) * TILE
        bend = lookup(self._bend, u, v)
        reach = np.float32((0.015 if bank.sea else 0.021) * size / WORK)
        x = columns / WORK + bend[..., 0] * reach
        y = rows / WORK + bend[..., 1] * reach
        return sampled(heap, single(x), single(y), cv2.BORDER_REPLICATE)

    def _lit(self, bank: Bank, frame: _Frame, heap: Field) -> tuple[Field, Field]:
        """Colour (height, width, 3) and cover (height, width)."""
        stage, light = self._stage, self._stage.light
        size = bank.size * stage.unit / WORK
        rows = np.arange(frame.height, dtype=np.float32)[:, None]
        columns = np.arange(frame.width, dtype=np.float32)[None, :]
        grain = self._grain(bank, frame)
        rough = np.float32((0.011 if bank.sea else 0.026) * size)
        body = single(heap + rough * grain * smoothstep(0.01 * size, 0.09 * size, heap))
        cover, rise = self._cover(bank, frame, body, grain)
        dx = stage.sun_x + frame.side - columns
        dy = stage.sun_y - frame.top - rows
        away = np.hypot(dx, dy) + np.float32(0.15 * stage.unit)
        shine = self._shine(bank, body, size, (dx / away, dy / away))
        # A low sun reaches the undersides too.
        under = 0.10 if light.sun_height > 0.3 else 0.45
        shine = np.clip(shine * (under + (1.12 - under) * rise) + (0.0 if bank.sea else 0.10) * rise, 0.0, 1.2)
        shine = (shine**1.6 if bank.sea else shine)[..., None]
        near_sun = np.exp(-np.hypot(dx * 0.8, dy) / ((0.42 if bank.sea else 0.24) * stage.unit))
        thin = np.exp(-body / np.float32(0.10 * size))
        silver = array(light.sun) * (1.5 * light.glow * near_sun * (0.05 + thin))[..., None]
        # Under a closed sheet no sun falls on the clouds below it.
        lit = array(light.cloud) * (0.80 if light.cover >= SHEET else 0.90 if bank.sea else 1.40)
        shade = array(light.shade) * (0.34 + (0.16 if bank.sea or light.cover >= SHEET else 0.50) * rise)[..., None]
        rgb = shade + (lit - shade) * shine + silver
        air = array(light.haze) * 0.45 + array(light.horizon) * 0.55
        far = np.clip(bank.haze + (0.0 if bank.sea else 0.25) * (1 - rise), 0, 1)[..., None]
        return single(rgb + (air - rgb) * far), cover

    def _cover(self, bank: Bank, frame: _Frame, body: Field, grain: Field) -> tuple[Field, Field]:
        """How opaque each point is, and how high it lies in its cloud: 0 at the base to 1 at the top."""
        size = bank.size * self._stage.unit
        cover = smoothstep(0.010 * size, 0.050 * size, body)
        rows = np.arange(frame.height, dtype=np.float32)[:, None]
        if bank.sea:
            return single(np.maximum.accumulate(cover, axis=0)), np.full_like(cover, 0.85)
        foot = rows - frame.base + np.float32(0.012 * size) * grain
        cover = cover * smoothstep(0.035 * size, -0.030 * size, foot)
        # Frayed into the air around it.
        cover = single(0.72 * cover + 0.28 * blurred(cover, max(0.012 * size, 0.6)))
        small = (max(frame.width // 8, 1), max(frame.height // 8, 1))
        tops = frame.base - np.argmax(resized(cover, small, area=True) > 0.3, axis=0).astype(np.float32)[None, :] * 8
        tall = np.clip(tops, 0.10 * size, None) * (tops < frame.base)
        tall = blurred(single(np.maximum(tall, 0.12 * size)), max(0.10 * size / 8, 0.6))
        rise = np.clip((frame.base - rows) / resized(tall, (frame.width, 1)), 0, 1)
        return cover, smoothstep(-0.12, 1.0, rise)

    def _grain(self, bank: Bank, frame: _Frame) -> Field:
        """Small billows: round heads with creases between them, standard deviation about 1."""
        scale = np.float32(0.50 / (bank.size * self._stage.unit))
        rows = np.arange(frame.height, dtype=np.float32)[:, None]
        columns = np.arange(frame.width, dtype=np.float32)[None, :]
        u = fraction(columns * scale + 0 * rows) * TILE
        v = fraction(rows * scale + 0 * columns) * TILE
        return lookup(self._rough, u, v)

    def _shine(self, bank: Bank, body: Field, size: float, sun: tuple[Floats, Floats]) -> Field:
        """How brightly each point is lit, 0..1: its slope at three scales, less the light that hollows do not see."""
        whole, small = (body.shape[1], body.shape[0]), (body.shape[1] // 4, body.shape[0] // 4)
        coarse = resized(body, small, area=True)
        toward = 0.30 + 0.45 * min(max(self._stage.light.sun_height, 0), 0.7)
        total = np.zeros_like(body)
        # Slopes are pixels of height per pixel; heights are in work pixels.
        for field, sigma, gain, pixels in ((body, (0.012 if bank.sea else 0.006) * size, 0.22, 1),
                                           (coarse, 0.020 * size, 0.30, 4),
                                           (coarse, 0.080 * size, 0.48, 4)):  # fmt: skip
            smooth = blurred(field, max(sigma * WORK / pixels, 0.7))
            step = np.float32(pixels / WORK)
            slope_x, slope_y = np.gradient(smooth, axis=1) / step, np.gradient(smooth, axis=0) / step
            if pixels > 1:
                slope_x, slope_y = resized(single(slope_x), whole), resized(single(slope_y), whole)
            facing = (toward - slope_x * sun[0] - slope_y * sun[1]) / np.sqrt(1 + slope_x**2 + slope_y**2)
            total += np.float32(gain) * single(np.clip(0.30 + 0.62 * facing, 0, 1))
        hollow = resized(blurred(coarse, max(0.03 * size, 0.6)) - blurred(coarse, max(0.008 * size, 0.5)), whole)
        return smoothstep(0.16, 0.86, total - np.clip(hollow / (0.12 * size), 0, 0.4))
