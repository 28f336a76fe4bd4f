"""What is painted when a prompt names nothing the painter can draw: ribbons of light that flow and fold."""

from __future__ import annotations

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array, dither, film, to_yuv
from rushes.engines.animatic.painter.noise import lattice, lookup, smoothstep, wrapped
from rushes.engines.animatic.painter.raster import (
    Field,
    Floats,
    as_bytes,
    channels,
    joined,
    linear_map,
    resized,
    sampled,
    total,
)
from rushes.engines.animatic.painter.stage import Stage

PALETTES: tuple[tuple[Rgb, Rgb, Rgb, Rgb], ...] = (
    ((0.004, 0.010, 0.028), (0.10, 0.30, 0.75), (0.75, 0.22, 0.62), (1.0, 0.52, 0.20)),
    ((0.010, 0.006, 0.022), (0.85, 0.34, 0.12), (0.70, 0.12, 0.36), (0.22, 0.16, 0.70)),
    ((0.003, 0.014, 0.020), (0.06, 0.52, 0.52), (0.18, 0.28, 0.85), (0.85, 0.75, 0.45)),
    ((0.012, 0.008, 0.014), (0.95, 0.62, 0.28), (0.80, 0.26, 0.20), (0.25, 0.42, 0.72)),
)
"""Background, then three colours of light."""


REACH = 1.25
"""A ribbon's picture ends this many half widths from its middle."""


class Ribbons:
    """Five ribbons, each a twisting band between two wandering edges: brighter where it turns its edge to us."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("ribbons")
        rows, cols = -(-stage.height // 2), -(-stage.width // 2)
        self._x = ((np.arange(cols, dtype=np.float32) + 0.5) * 2 / stage.width).astype(np.float32)
        self._aspect = stage.width / stage.unit
        self._y = ((np.arange(rows, dtype=np.float32) + 0.5) * 2 / stage.height)[:, None].astype(np.float32)
        palette = PALETTES[int(rng.integers(len(PALETTES)))]
        self._ground = self._background(palette)
        self._palette = np.array(palette[1:], np.float32).T * np.float32(0.85)
        self._edge = wrapped(lattice(rng, 256, 4))
        self._twist = wrapped(lattice(rng, 256, 8))
        silk = wrapped(lattice(rng, 512, 64) + 0.5 * lattice(rng, 512, 128))
        self._cloths = [self._cloth(silk, n) for n in range(5)]
        self._offsets = rng.random((5, 4)).astype(np.float32)
        self._grain = dither(stage.rng("ribbon grain"), stage.height, stage.width)

    def _background(self, palette: tuple[Rgb, Rgb, Rgb, Rgb]) -> Field:
        x = (self._x[None, :] - 0.5) * self._aspect
        y = self._y - 0.5
        halo = np.exp(-((x / 0.9) ** 2) - ((y / 0.42) ** 2))[..., None]
        return (array(palette[0]) * (0.6 + 1.6 * halo) + array(palette[2]) * 0.012 * halo).astype(np.float32)

    def _cloth(self, silk: Field, n: int) -> Field:
        """One ribbon unrolled, across by along (257, 513, 3): its two shades of light, and its bright rims."""
        s = np.linspace(-REACH, REACH, 257, dtype=np.float32)[:, None]
        along = np.broadcast_to(np.arange(513, dtype=np.float32)[None, :] % 512, (257, 513))
        across = np.broadcast_to((s * 0.055 + 0.19 * n) % 1.0 * 512, (257, 513))
        strands = np.maximum(0.75 + 0.55 * lookup(silk, along, across), 0.08)
        body = strands * smoothstep(1.12, 0.90, np.abs(s))
        shift = np.clip(0.5 + 0.5 * s, 0, 1) * 0.55
        rim = np.broadcast_to(np.exp(-(((np.abs(s) - 0.97) / 0.075) ** 2)), body.shape)
        return np.dstack([body * (1 - shift), body * shift, rim]).astype(np.float32)

    def _wave(self, tile: Field, u: Floats, v: float) -> Field:
        size = tile.shape[0] - 1
        at = np.full_like(u, (v % 1.0) * size)
        return lookup(tile, ((u % 1.0) * size)[None, :], at[None, :])[0]

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        t = stage.seconds(i) * (0.4 + 0.6 * stage.reading.speed)
        light = np.zeros((3, *self._ground.shape[:2]), np.float32)
        for n in range(5):
            self._ribbon(light, n, t)
        picture = linear_map(joined(light), self._palette)
        yuv = to_yuv(film(self._ground + picture))
        luma = resized(yuv[..., 0], (stage.width, stage.height))
        canvas.y[:] = as_bytes(total(luma, self._grain))
        half = (stage.width // 2, stage.height // 2)
        for n, plane in ((1, canvas.u), (2, canvas.v)):
            small = resized(yuv[..., n], half)
            plane[:] = as_bytes(total(small, self._grain[::2, ::2]))

    def _ribbon(self, light: Field, n: int, t: float) -> None:
        """Add ribbon n to the three planes of light, one per colour of the palette."""
        a, b, c, d = (float(value) for value in self._offsets[n])
        u = self._x * np.float32(self._aspect * 0.17)
        centre = 0.5 + 0.22 * self._wave(self._edge, u + a + 0.010 * t, b + 0.016 * t) + (n - 2) * 0.07
        width = 0.20 * self._wave(self._twist, u * 0.9 + c - 0.008 * t, d + 0.021 * t)
        # The cloth's thickness seen by the eye grows as the band turns edge on.
        soft = np.sqrt(width**2 + 0.018**2).astype(np.float32)
        first = max(0, int((centre - REACH * soft).min() * len(self._y)))
        last = min(len(self._y), int((centre + REACH * soft).max() * len(self._y)) + 2)
        if last <= first:
            return
        gain = (128 / REACH / soft).astype(np.float32)
        across = self._y[first:last] * gain[None, :] + (128 - centre * gain).astype(np.float32)[None, :]
        along = np.broadcast_to(((u * 0.35 + 0.13 * n + 0.006 * t) % 1.0 * 512)[None, :], across.shape)
        # Outside its reach the cloth's first and last rows are dark, so they may be repeated.
        cloth = sampled(self._cloths[n], np.ascontiguousarray(along), across, cv2.BORDER_REPLICATE)  # fmt: skip
        own, next_shade, rim = channels(cloth)
        thin = (0.030 / soft)[None, :]
        edge = (0.08 + 0.025 / soft)[None, :]
        light[n % 3, first:last] += own * thin + rim * (edge * np.float32(0.7))
        light[(n + 1) % 3, first:last] += next_shade * thin + rim * (edge * np.float32(0.3))
