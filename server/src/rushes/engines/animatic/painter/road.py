"""The road of a street: wet asphalt that mirrors the walls."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import array, yuv
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import (
    Field,
    Plane,
    as_bytes,
    averaged,
    graded,
    inverted,
    product,
    resized,
    sampled,
    total,
)
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.street import EYE, HALF, Street


class Road:
    """Wet asphalt: a dim mirror, smeared downwards, sharp in the puddles; painted from what stands above it."""

    def __init__(self, stage: Stage, street: Street) -> None:
        self._stage = stage
        self._street = street
        self._top = int(np.ceil(stage.horizon)) + 2 & ~1
        self._rows = stage.height - self._top
        self._drop = (np.arange(self._rows, dtype=np.float32) + self._top + 0.5 - stage.horizon)[:, None]
        focal = 0.98 * stage.unit
        self._away = (EYE * focal / self._drop).astype(np.float32)
        self._focal = np.float32(focal)
        rng = stage.rng("road")
        self._puddle = wrapped(spectral(rng, 256, 3.0, low=3, high=50))
        self._ripple = wrapped(spectral(rng, 256, 1.8, low=10, high=110))
        wet = stage.reading.has("rain", "storm") or stage.reading.time == "neon"
        wetness = 1.0 if wet else 0.35
        far = (1.05 - 0.35 * self._drop / self._drop[-1]) * wetness
        self._dry = (0.34 * far).astype(np.float32)
        self._pooled = (0.55 * wetness * far).astype(np.float32)
        self._rough = (smoothstep(0.0, 0.10 * stage.unit, self._drop) * 0.030 * stage.unit).astype(np.float32)
        self._per_metre = (self._away / self._focal / 14).astype(np.float32)
        light = stage.light
        body = array((0.055, 0.055, 0.060)) * (array(light.fill) * 1.3 + array(light.key) * 0.5)
        self._body = yuv((float(body[0]), float(body[1]), float(body[2])))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        walked, middle = self._street.camera(i)
        cols = canvas.width // 2
        x = (np.arange(cols, dtype=np.float32) * 2 + 0.5 - np.float32(middle))[None, :]
        u = x * self._per_metre
        v = np.broadcast_to((self._away + np.float32(walked)) / 22, u.shape)
        pools = lookup(self._puddle, fraction(u) * 256, fraction(v) * 256)
        shake = lookup(self._ripple, fraction(u * 5 + np.float32(0.11 * stage.seconds(i))) * 256, fraction(v * 7) * 256)
        pool = smoothstep(-0.1, 0.9, pools)
        share = np.clip((self._dry + self._pooled * pool) * 255, 5, 230).astype(np.float32)
        jitter = shake * (self._rough - np.float32(0.6) * self._rough * pool)
        # The foot of the walls in each column; above it the wall is seen and not the road.
        foot = np.abs(x) * np.float32(EYE / HALF)
        line = np.clip((self._drop - foot) * 127 + 128, 0, 255).astype(np.float32)
        rows = np.maximum(np.float32(stage.horizon) - self._drop + 2 * foot + jitter, 0).astype(np.float32)
        self._mirror(canvas, rows, share, line)

    def _mirror(self, canvas: Canvas, rows: Field, share: Field, line: Field) -> None:
        whole = (canvas.width, self._rows)
        smear = averaged(canvas.y, 3, max(3, int(0.035 * self._stage.unit) | 1))
        x = np.broadcast_to(np.arange(canvas.width, dtype=np.float32)[None, :], (self._rows, canvas.width))
        seen = sampled(smear, np.ascontiguousarray(x), resized(rows, whole))
        small_mask, small_cut = as_bytes(share), as_bytes(line)
        road = _tinted(seen, resized(small_mask, whole), self._body[0])
        self._lay(canvas.y[self._top :], road, resized(small_cut, whole))
        half_rows = np.ascontiguousarray(rows[::2]) * np.float32(0.5)
        half_x = np.ascontiguousarray(x[::2, : rows.shape[1]])
        half_mask, half_cut = np.ascontiguousarray(small_mask[::2]), np.ascontiguousarray(small_cut[::2])
        for n, plane in ((1, canvas.u), (2, canvas.v)):
            colour = sampled(plane, half_x, half_rows)
            self._lay(plane[self._top // 2 :], _tinted(colour, half_mask, self._body[n]), half_cut)

    @staticmethod
    def _lay(dst: Plane, road: Plane, cut: Plane) -> None:
        walls = product(dst, inverted(cut))
        dst[:] = total(walls, product(road, cut))


def _tinted(seen: Plane, share: Plane, body: float) -> Plane:
    out = product(seen, share)
    return total(out, graded(share, -body / 255, body))
