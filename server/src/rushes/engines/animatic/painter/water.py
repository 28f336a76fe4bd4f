"""Water below the horizon: it mirrors what has been painted above, broken up by real waves, with sun glitter."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import mix, scaled, yuv
from rushes.engines.animatic.painter.raster import (
    Field,
    Plane,
    as_bytes,
    graded,
    inverted,
    product,
    resized,
    sampled,
    single,
    total,
)
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.waves import SIZE, Waves

LEVELS = 10
SLAB = 96
"""Rows that are painted at a time, few enough to stay in the processor's cache."""


@dataclass(slots=True)
class _Level:
    """One scale of waves: the rows it serves and where their pixels lie in the patch."""

    first: int
    last: int
    x: Field
    y: Field
    weight: Field


class Water:
    """Paints the rows below the horizon from the rows above it."""

    def __init__(
        self, stage: Stage, rough: float, eye: float, patch: float, mirror: float = 0.03, bottom: int | None = None
    ) -> None:
        """`rough` is the standard deviation of the slopes, `eye` the camera's height and `patch` the metres of waves
        before they repeat; `mirror` is what it reflects seen from above (clear lakes before dark ground: more);
        rows from `bottom` on are left to what lies there."""
        self._stage = stage
        self._floor = np.float32(mirror)
        self._top = int(np.ceil(stage.horizon)) & ~1
        self._rows = max(2, (stage.height if bottom is None else bottom) - self._top + 1 & ~1)
        self._cols = stage.width // 2
        pace = min(stage.tempo, 1.6) / stage.fps
        self._waves = Waves(stage.rng("waves"), patch, rough, pace)
        focal = 1.15 * stage.unit
        drop = np.maximum(np.arange(self._rows, dtype=np.float32) + self._top + 0.5 - stage.horizon, 0.5)[:, None]
        self._drop = drop
        self._down = (drop / focal).astype(np.float32)
        across = ((np.arange(self._cols, dtype=np.float32) * 2 + 0.5 - stage.width / 2) / focal)[None, :]
        self._levels = self._plan_levels(across, eye, patch)
        self._tilt = np.float32(2 * focal * 0.62)
        self._columns = np.arange(self._cols, dtype=np.float32)[None, :]
        self._body = yuv(scaled(mix(stage.light.water, stage.light.middle, 0.16), 1.0))
        self._sun = yuv(scaled(stage.light.sun, 1.3))
        self._glare = yuv(scaled(mix(stage.light.sun, (1, 1, 1), 0.25), 2.6))[0]
        self._glint = self._plan_glint(across, focal, rough)

    def _plan_levels(self, across: Field, eye: float, patch: float) -> list[_Level]:
        away = eye / self._down
        footprint = away / self._drop
        texel = patch / SIZE
        level = np.log2(np.maximum(footprint / texel, 1e-6))[:, 0]
        calm = np.minimum(1.0, 2.0 ** (LEVELS - 1 - level))
        level = np.clip(level, 0, LEVELS - 1)
        levels: list[_Level] = []
        for n in range(LEVELS):
            weight = np.clip(1 - np.abs(level - n), 0, 1)
            rows = np.flatnonzero(weight)
            if rows.size == 0:
                continue
            first, last = int(rows[0]), int(rows[-1]) + 1
            part = weight[first:last]
            # Two independent scales are weaker together than each alone; this keeps their sum as rough.
            part = part / np.sqrt(part**2 + (1 - part) ** 2) * calm[first:last]
            metres = patch * 2.0**n
            u = across * away[first:last] / metres + 0.31 * n
            v = np.broadcast_to(away[first:last] / metres + 0.17 * n, u.shape)
            x = ((u - np.floor(u)) * SIZE).astype(np.float32)
            y = ((v - np.floor(v)) * SIZE).astype(np.float32)
            levels.append(_Level(first, last, x, y, part[:, None].astype(np.float32)))
        return levels

    def _plan_glint(self, across: Field, focal: float, rough: float) -> tuple[Field, Field, Field, Field] | None:
        """The slopes that would mirror the sun into the camera, less what the sharpness of the match takes off for
        each step beside them, and the glitter's strength."""
        stage, light = self._stage, self._stage.light
        if light.glow < 0.1 or light.sun_height <= 0:
            return None
        sun_up = (stage.horizon - stage.sun_y) / focal
        sun_across = (stage.sun_x - stage.width / 2) / focal
        want_x = ((across - sun_across) / (sun_up + self._down)).astype(np.float32)
        want_y = ((sun_up - self._down) / 2).astype(np.float32)
        far = np.exp(-self._drop / (0.10 * stage.unit))
        spread = 0.030 + 0.35 * rough + (0.55 * rough) * far
        power = np.clip(1.15 * light.glow, 0.15, 1.0) * (0.030 + 0.35 * rough) / spread * (0.95 * 255)
        sharp = (-1 / (2 * spread**2)).astype(np.float32)
        return want_x, want_y, sharp, power.astype(np.float32)

    def _slopes(self, patch: Field) -> Field:
        out = np.zeros((self._rows, self._cols), np.float32)
        for level in self._levels:
            piece = sampled(patch, level.x, level.y)
            piece *= level.weight
            out[level.first : level.last] += piece
        return out

    def paint(self, canvas: Canvas, i: int) -> None:
        across, along = (self._slopes(patch) for patch in self._waves.slopes())
        for first in range(0, self._rows, SLAB):
            slab = slice(first, min(first + SLAB, self._rows))
            facing = np.clip((1 - self._down[slab]) - along[slab], 0.0, 1.0)
            square = facing * facing
            square *= square
            square *= facing
            mirror = as_bytes(square * (np.float32(0.98 * 255) - self._floor * 255) + self._floor * 255)
            glint = self._glitter(across[slab], along[slab], slab)
            self._paint_luma(canvas, across[slab], along[slab], slab, mirror, glint)
            pair = slice(first, slab.stop, 2)
            self._paint_chroma(canvas, across[pair], along[pair], pair, mirror[::2], glint)

    def _glitter(self, across: Field, along: Field, slab: slice) -> Plane | None:
        if self._glint is None:
            return None
        want_x, want_y, sharp, power = (part[slab] for part in self._glint)
        miss = np.square(across - want_x)
        miss += np.square(along - want_y)
        miss *= sharp
        return as_bytes(np.exp(miss, out=miss) * power)

    def _mirrored(self, along: Field, drop: Field) -> Field:
        """Rows of what is seen mirrored."""
        rows = along * self._tilt
        rows += drop
        np.abs(rows, out=rows)
        np.subtract(np.float32(self._stage.horizon - 1), rows, out=rows)
        return np.maximum(rows, 0, out=rows)

    def _paint_luma(self, canvas: Canvas, across: Field, along: Field, slab: slice, mirror: Plane,
                    glint: Plane | None) -> None:  # fmt: skip
        size = (canvas.width, slab.stop - slab.start)
        drop = self._drop[slab]
        y = resized(self._mirrored(along, drop), size)
        # The slopes are of every other column, half a pixel to the right of it.
        x = resized(single(across * (drop * np.float32(0.9)) + (2 * self._columns + np.float32(0.5))), size)
        seen = sampled(canvas.y[: self._top], x, y, cv2.BORDER_REPLICATE)
        share = resized(mirror, size)
        shine = None if glint is None else resized(glint, size)
        canvas.y[self._top + slab.start : self._top + slab.stop] = _mixed(
            seen, share, self._body[0], shine, self._glare
        )

    def _paint_chroma(self, canvas: Canvas, across: Field, along: Field, slab: slice, mirror: Plane,
                      glint: Plane | None) -> None:  # fmt: skip
        drop = self._drop[slab]
        y = self._mirrored(along, drop) / 2
        x = single(across * (drop * np.float32(0.45)) + self._columns)
        share = np.ascontiguousarray(mirror)
        shine = None if glint is None else np.ascontiguousarray(glint[::2])
        rows = slice((self._top + slab.start) // 2, (self._top + slab.stop) // 2)
        for n, plane in ((1, canvas.u), (2, canvas.v)):
            seen = sampled(plane[: self._top // 2], x, y, cv2.BORDER_REPLICATE)
            plane[rows] = _mixed(seen, share, self._body[n], shine, self._sun[n])


def _mixed(seen: Plane, share: Plane, body: float, shine: Plane | None, sun: float) -> Plane:
    """The mirrored picture over the water's own colour, the sun's glitter over both."""
    out = product(seen, share)
    out = total(out, graded(share, -body / 255, body))
    if shine is not None:
        out = product(out, inverted(shine))
        out = total(out, graded(shine, sun / 255))
    return out
