"""Clouds: two noise fields drifting apart over a plane above the camera, seen in perspective."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.colour import array
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import Field
from rushes.engines.animatic.painter.stage import Stage

TILE = 512


class Clouds:
    """Cloud cover over a small sky picture of `size` (rows, columns), each pixel `step` frame pixels, or over some of
    its columns."""

    def __init__(self, stage: Stage, size: tuple[int, int], step: int, columns: slice = slice(None)) -> None:
        self._stage = stage
        light = stage.light
        rng = stage.rng("clouds")
        rows = (np.arange(size[0], dtype=np.float32) + 0.5) * step
        cols = ((np.arange(size[1], dtype=np.float32) + 0.5) * step)[columns]
        up = np.maximum((stage.horizon - rows) / stage.unit, 0)[:, None]
        side = ((cols - stage.width / 2) / stage.unit)[None, :]
        # The offset keeps the far rows from shrinking below a pixel.
        depth = 0.55 / (up + 0.13)
        grain = np.float32(stage.vary("cloud size", 0.62, 1.35))
        self._u = (side * depth * 0.36 * grain + 0.5).astype(np.float32)
        self._v = np.broadcast_to(depth * 0.42 * grain, self._u.shape).astype(np.float32)
        body = spectral(rng, TILE, 3.3, low=2.5, high=90)
        wisps = spectral(rng, TILE, 2.5, low=4, high=110)
        towards = np.sign(stage.sun_x - stage.width / 2)
        lit = body - np.roll(body, (6, int(-5 * towards)), axis=(0, 1))
        self._body, self._lit_side = wrapped(body), wrapped(lit / np.float32(lit.std()))
        self._wisps = wrapped(wisps)
        # Far clouds are small; fine detail there would only sparkle.
        self._fine = (0.36 * smoothstep(0.02, 0.22, up)).astype(np.float32)
        self._fade = smoothstep(0.005, 0.085, up)
        dx = (cols[None, :] - stage.sun_x) / stage.unit
        dy = (rows[:, None] - stage.sun_y) / stage.unit
        self._near_sun = np.exp(-np.hypot(dx * 0.8, dy) / 0.22).astype(np.float32)
        # Quantile of a normal field that leaves `cover` of it above.
        self._threshold = np.float32(1.1 - 2.2 * light.cover)
        self._lit = array(light.cloud)
        self._shade = array(light.shade)
        self._silver = array(light.sun) * np.float32(1.5 * light.glow)
        pace = stage.tempo * (2.2 if stage.reading.has("wind", "storm") else 1.0)
        self._drift = (0.0075 * pace * (1 if rng.random() < 0.5 else -1), -0.0035 * pace)

    def over(self, sky: Field, i: int) -> tuple[Field, Field]:
        """The sky with clouds at frame `i`, and how opaque they are, 0..1."""
        t = self._stage.seconds(i)
        du, dv = self._drift
        side = float(self._stage.path.x[i]) * self._stage.width / self._stage.unit
        near = self._u - np.float32(0.10 * side)
        u, v = fraction(near + np.float32(du * t)) * TILE, fraction(self._v + np.float32(dv * t)) * TILE
        body, lit_side = lookup(self._body, u, v), lookup(self._lit_side, u, v)
        u2 = near * np.float32(2.3) + np.float32(du * t * 3.1 + 0.37)
        v2 = self._v * np.float32(2.3) + np.float32(dv * t * 1.6)
        wisps = lookup(self._wisps, fraction(u2) * TILE, fraction(v2) * TILE)
        density = body + self._fine * wisps - self._threshold
        alpha = smoothstep(-0.1, 1.15, density) * self._fade
        thick = np.clip(density, 0, 2.4)
        shine = np.clip(0.5 + 0.30 * lit_side + 0.10 * wisps - 0.13 * thick, 0.04, 1.0)
        silver = self._near_sun * np.exp(-1.7 * thick)
        colour = self._shade + (self._lit - self._shade) * shine[..., None] + self._silver * silver[..., None]
        return (sky + (colour - sky) * alpha[..., None]).astype(np.float32), alpha
