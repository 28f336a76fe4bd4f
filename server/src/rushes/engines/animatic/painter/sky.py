"""The sky: gradient, sun and clouds, kept as small float pictures and enlarged with dither, so that nothing bands."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.clouds import Clouds
from rushes.engines.animatic.painter.colour import array, dither, film, to_yuv
from rushes.engines.animatic.painter.night import Aurora, Stars
from rushes.engines.animatic.painter.noise import smoothstep
from rushes.engines.animatic.painter.raster import Field, Plane, resized, total_bytes
from rushes.engines.animatic.painter.stage import Stage


def coarse(stage: Stage) -> int:
    """How much smaller than the frame pictures of the sky are: light in the air has no edges."""
    return 3 if stage.height < 900 else 4


def elevation(stage: Stage, rows: Field) -> Field:
    """Height above the horizon of pixel rows, in units."""
    return ((stage.horizon - rows) / stage.unit).astype(np.float32)


def gradient(stage: Stage, rows: int, step: int) -> Field:
    """Clear sky with sun and glow, linear RGB (rows / step, width / step, 3)."""
    light = stage.light
    height, width = -(-rows // step), -(-stage.width // step)
    y = (np.arange(height, dtype=np.float32) + 0.5) * step
    x = (np.arange(width, dtype=np.float32) + 0.5) * step
    up = np.maximum(elevation(stage, y), -0.02)[:, None, None]
    low = np.exp(-up / 0.105)
    mid = np.exp(-np.maximum(up, 0) / 0.34)
    column = array(light.zenith) + (array(light.middle) - array(light.zenith)) * mid
    column = column + (array(light.horizon) - array(light.middle)) * low * 0.9
    dx = (x[None, :] - stage.sun_x) / stage.unit
    dy = (y[:, None] - stage.sun_y) / stage.unit
    # The warm band of a low sun lies along the horizon, so the colour of the horizon fades away from it.
    away = np.exp(-np.abs(dx) / 0.9)[..., None]
    if light.sun_height < 0.2:
        cool = array(light.middle) * 0.55 + array(light.horizon) * 0.25
        sky = column * away + (column * 0.45 + cool * 0.55 * low + column * 0.18) * (1 - away)
    else:
        sky = np.broadcast_to(column, (height, width, 3))
    return (sky + _glow(stage, dx, dy)).astype(np.float32)


def _glow(stage: Stage, dx: Field, dy: Field) -> Field:
    light = stage.light
    if light.glow <= 0:
        return np.zeros((*np.broadcast_shapes(dx.shape, dy.shape), 3), np.float32)
    near = np.hypot(dx, dy)
    wide = np.hypot(dx * 0.62, dy * 1.35)
    halo = 0.55 * np.exp(-wide / 0.19) + 0.85 * np.exp(-near / 0.055)
    glow = (halo * light.glow)[..., None] * array(light.sun)
    if light.sun_size > 0:
        # A bright disc with the colour of its own glow at the rim and nearly white inside.
        edge = 1.6 * coarse(stage) / stage.unit
        disc = smoothstep(light.sun_size + edge, max(light.sun_size - edge, 0.0), near.astype(np.float32))
        power = 7.0 if light.stars == 0 else 1.5
        glow = glow + disc[..., None] * power * (array(light.sun) * 0.8 + 0.2)
    return glow.astype(np.float32)


class Sky:
    """Paints rows 0 to `rows` of every frame."""

    def __init__(self, stage: Stage, rows: int, *, sheet: bool = True) -> None:
        """With `sheet` a sheet of clouds passes overhead, as closed as the light says."""
        self._stage = stage
        self._rows = min(stage.height, (rows + 1) & ~1)
        step = coarse(stage)
        self._base = gradient(stage, self._rows, step)
        size = self._base.shape[:2]
        self._grain = dither(stage.rng("sky grain"), self._rows, stage.width)
        self._grain_half = dither(stage.rng("sky chroma grain"), self._rows // 2, stage.width // 2, 0.55)
        self._clouds = Clouds(stage, size, step) if sheet and stage.light.cover > 0 else None
        self._stars = Stars(stage, self._rows, step) if stage.light.stars > 0 and stage.light.cover < 0.6 else None
        self._aurora = Aurora(stage, size, step) if stage.reading.has("aurora") else None

        self._still: tuple[Plane, Plane, Plane] | None = None

    def paint(self, canvas: Canvas, i: int) -> None:
        rows = self._rows
        veil: Field | None = None
        if self._still is None:
            veil = self._paint_air(canvas, i)
            moves = self._clouds is not None or self._aurora is not None or self._stage.reading.has("milkyway")
            if not moves:
                half = rows // 2
                self._still = canvas.y[:rows].copy(), canvas.u[:half].copy(), canvas.v[:half].copy()
        else:
            canvas.y[:rows], canvas.u[: rows // 2], canvas.v[: rows // 2] = self._still
        if self._stars is not None:
            self._stars.paint(canvas, i, veil)

    def _paint_air(self, canvas: Canvas, i: int) -> Field | None:
        """Everything but the points of the stars; returns how opaque the clouds are."""
        sky = self._base
        if self._stars is not None:
            sky = self._stars.glow(sky, i)
        if self._aurora is not None:
            sky = sky + self._aurora.light(i)
        veil: Field | None = None
        if self._clouds is not None:
            sky, veil = self._clouds.over(sky, i)
        yuv = to_yuv(film(sky))
        rows, width = self._rows, canvas.width
        whole = (width, rows)
        half = (width // 2, rows // 2)
        canvas.y[:rows] = total_bytes(resized(yuv[..., 0], whole), self._grain)
        for plane, n in ((canvas.u, 1), (canvas.v, 2)):
            plane[: rows // 2] = total_bytes(resized(yuv[..., n], half), self._grain_half)
        return veil
