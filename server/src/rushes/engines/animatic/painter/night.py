"""The night sky: stars that twinkle and turn, the band of the Milky Way, aurora curtains."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.noise import lattice, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import Field, Floats, Plane, as_bytes, product, resized, total, warped
from rushes.engines.animatic.painter.splat import splat
from rushes.engines.animatic.painter.stage import Stage


def star_plane(rng: np.random.Generator, height: int, width: int, density: Field | None, count: int) -> Plane:
    """A luma plane of `count` stars with Pareto brightness, thicker where `density` (any size, 0..1) is high."""
    plane = np.zeros((height, width), np.float32)
    x = rng.random(count * 3) * (width - 1)
    y = rng.random(count * 3) * (height - 1)
    keep = np.ones(count * 3, bool)
    if density is not None:
        scale_y, scale_x = density.shape[0] / height, density.shape[1] / width
        chance = density[(y * scale_y).astype(int), (x * scale_x).astype(int)]
        keep = rng.random(count * 3) < 0.16 + 0.84 * chance
    x, y = x[keep][:count], y[keep][:count]
    power = np.minimum(26 * (rng.pareto(1.45, len(x)) + 0.5), 235).astype(np.float32)
    splat(plane, x, y, power * 1.1, 0.75)
    bright = power > 130
    splat(plane, x[bright], y[bright], power[bright] * 0.22, 2.2)
    return as_bytes(plane)


class Stars:
    """Stars on a sheet that turns about a point high above the frame; a time lapse makes the turning visible."""

    def __init__(self, stage: Stage, rows: int, step: int) -> None:
        self._stage = stage
        self._rows = rows
        self._step = step
        rng = stage.rng("stars")
        milky = stage.reading.has("milkyway")
        self._size = int(np.ceil(np.hypot(stage.width, rows) * 1.12)) & ~1
        coarse = self._size // step
        self._band = self._milky_way(coarse) if milky else None
        density = None if self._band is None else np.clip(self._band[..., 1] * 18, 0, 1).astype(np.float32)
        per_frame = stage.light.stars * (4200 if milky else 1500)
        count = int(per_frame * (self._size / stage.unit) ** 2 / 3.2)
        self._plane = star_plane(rng, self._size, self._size, density, count)
        lucky = 90
        self._twinkle = (
            rng.random(lucky) * stage.width, rng.random(lucky) ** 1.3 * rows * 0.96,
            rng.random(lucky) * 6.28, rng.uniform(1.2, 3.4, lucky), rng.uniform(40, 130, lucky),
        )  # fmt: skip
        self._fade = as_bytes(_horizon_fade(stage, rows) * 255)

    def _milky_way(self, size: int) -> Field:
        rng = self._stage.rng("milky way")
        v, u = np.meshgrid(*(np.linspace(-1, 1, size, dtype=np.float32),) * 2, indexing="ij")
        wide = resized(spectral(rng, 256, 2.6, low=2), (size, size), cubic=True)
        fine = resized(spectral(rng, 512, 2.7, low=4), (size, size), cubic=True)
        across = u * 0.80 - v * 0.60 + 0.05 * wide
        along = u * 0.60 + v * 0.80
        bulge = np.exp(-(((along - 0.12) / 0.42) ** 2))
        halo = np.exp(-((across / (0.15 + 0.10 * bulge)) ** 2)) * (0.35 + 0.85 * bulge)
        dust = smoothstep(-0.35, 1.25, fine + 0.5 * wide + 1.5 * np.exp(-(((across - 0.02) / 0.045) ** 2)) - 0.25)
        light = halo * (1 - 0.86 * dust * np.exp(-((across / 0.17) ** 2))) * (1 + 0.22 * fine)
        light = np.maximum(light, 0)
        warm = np.dstack([light * 1.10, light * 0.90, light * 0.80]) * bulge[..., None]
        cool = np.dstack([light * 0.52, light * 0.66, light * 1.0]) * (1 - 0.6 * bulge[..., None])
        return (warm * 0.060 + cool * 0.052).astype(np.float32)

    def _turn(self, i: int, step: int) -> Field:
        """The affine map from frame pixels / step to sheet pixels / step."""
        stage = self._stage
        angle = stage.seconds(i) * (0.0022 if stage.tempo <= 1 else 0.012)
        c, s = float(np.cos(angle)), float(np.sin(angle))
        middle = self._size / 2 / step
        pivot_x, pivot_y = stage.width * 0.55 / step, -0.10 * stage.height / step
        off_x = middle - stage.width / 2 / step
        off_y = middle - self._rows / 2 / step
        return np.array(
            [
                [c, -s, pivot_x - c * pivot_x + s * pivot_y + off_x],
                [s, c, pivot_y - s * pivot_x - c * pivot_y + off_y],
            ],
            np.float32,
        )

    def glow(self, sky: Field, i: int) -> Field:
        """The small sky picture with the Milky Way's light added."""
        if self._band is None:
            return sky
        size = (sky.shape[1], sky.shape[0])
        band = warped(self._band, self._turn(i, self._step), size, inverse=True)
        rows = (np.arange(sky.shape[0], dtype=np.float32) + 0.5) * self._step
        up = smoothstep(0.0, 0.30, ((self._stage.horizon - rows) / self._stage.unit).astype(np.float32))
        return (sky + band * up[:, None, None]).astype(np.float32)

    def paint(self, canvas: Canvas, i: int, veil: Field | None) -> None:
        """Add the stars to the canvas, dimmed near the horizon and behind clouds (`veil`, 0..1)."""
        rows = self._rows
        size = (canvas.width, rows)
        stars = warped(self._plane, self._turn(i, 1), size, inverse=True)
        x, y, phase, rate, power = self._twinkle
        pulse = power * (0.5 + 0.5 * np.sin(phase + rate * self._stage.seconds(i) * 2)) ** 2
        splat(stars, x, y, pulse.astype(np.float32), 0.8)
        stars = product(stars, self._fade)
        if veil is not None:
            stars = product(stars, resized(as_bytes(255 - 255 * veil), size))
        canvas.y[:rows] = total(canvas.y[:rows], stars)


def _horizon_fade(stage: Stage, rows: int) -> Field:
    y = np.arange(rows, dtype=np.float32)
    fade = smoothstep(0.01, 0.22, (stage.horizon - y) / np.float32(stage.unit))
    return np.repeat(fade[:, None], stage.width, axis=1).astype(np.float32)


class Aurora:
    """Three curtains whose folds wander and whose rays flicker slowly; light on a small sky picture."""

    def __init__(self, stage: Stage, size: tuple[int, int], step: int) -> None:
        self._stage = stage
        rng = stage.rng("aurora")
        self._x = ((np.arange(size[1], dtype=np.float32) + 0.5) * step - stage.width / 2) / np.float32(stage.unit)
        rows = (np.arange(size[0], dtype=np.float32) + 0.5) * step
        self._up = ((stage.horizon - rows) / np.float32(stage.unit))[:, None].astype(np.float32)
        self._fold = wrapped(lattice(rng, 256, 4) + 0.45 * lattice(rng, 256, 8))
        self._ray = wrapped(lattice(rng, 512, 64) + 0.7 * lattice(rng, 512, 128) + 0.6 * lattice(rng, 512, 32))
        self._patch = wrapped(lattice(rng, 256, 8))
        self._tall = min(1.0, stage.horizon / stage.unit / 0.6)

    def _row(self, tile: Field, u: Floats, v: float) -> Field:
        size = tile.shape[0] - 1
        at = np.full_like(u, (v % 1.0) * size)
        return lookup(tile, ((u % 1.0) * size)[None, :], at[None, :])[0]

    def light(self, i: int) -> Field:
        """Linear RGB to add at frame `i`."""
        t = self._stage.seconds(i) * min(self._stage.tempo, 2.5)
        out = np.zeros((self._up.shape[0], self._x.shape[0], 3), np.float32)
        for n, (base, gain) in enumerate(((0.235, 1.0), (0.30, 0.66), (0.18, 0.5))):
            shift = 0.31 * n
            fold = self._row(self._fold, self._x * 0.19 + shift, t * 0.013 + shift)
            foot = (base + 0.085 * fold + self._x * (0.05 - 0.08 * n)) * self._tall
            # Folds seen edge on are brighter: the rays crowd where the curtain's line turns steep.
            stretch = self._x * 0.5 + fold * 0.35 + t * 0.006
            ray = 0.72 + 0.34 * self._row(self._ray, stretch, t * 0.020 + shift)
            patch = smoothstep(-0.75, 0.95, self._row(self._patch, self._x * 0.22 - t * 0.01, t * 0.022 + shift))
            power = np.maximum(ray, 0.05) * patch * gain
            above = self._up - foot
            reach = (0.105 + 0.05 * ray) * self._tall
            edge = smoothstep(-0.022, 0.022, above)
            body = np.exp(-np.maximum(above, 0) / reach) * edge * power
            crown = np.exp(-np.maximum(above, 0) / (reach * 2.1)) * edge * power
            out[..., 0] += 0.03 * body + 0.085 * crown * (1 - edge * np.exp(-np.maximum(above, 0) / 0.10))
            out[..., 1] += 0.42 * body + 0.022 * crown
            out[..., 2] += 0.13 * body + 0.085 * crown
        return out
