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

    def __init__(self, stage: Stage, rows: int, *, sheet: bool = True, columns: tuple[int, int] | None = None) -> None:
        """With `sheet` a sheet of clouds passes overhead, as closed as the light says. `columns`: those that can be
        seen, where something opaque stands before the others in every frame."""
        self._stage = stage
        self._rows = min(stage.height, (rows + 1) & ~1)
        step = coarse(stage)
        self._base = gradient(stage, self._rows, step)
        size = self._base.shape[:2]
        self._grain = dither(stage.rng("sky grain"), self._rows, stage.width)
        self._grain_half = dither(stage.rng("sky chroma grain"), self._rows // 2, stage.width // 2, 0.55)
        self._stars = Stars(stage, self._rows, step) if stage.light.stars > 0 and stage.light.cover < 0.6 else None
        self._aurora = Aurora(stage, size, step) if stage.reading.has("aurora") else None
        self._seen = (0, stage.width)
        if columns is not None and self._stars is None and self._aurora is None:
            self._seen = _wholly(columns, step, stage.width)
        begin, end, *self._beside = _coarse_columns(self._seen, step, size[1])
        self._base = self._base[:, begin:end]
        cloudy = sheet and stage.light.cover > 0
        self._clouds = Clouds(stage, size, step, slice(begin, end)) if cloudy else None
        self._still: tuple[Plane, Plane, Plane] | None = None

    def paint(self, canvas: Canvas, i: int) -> None:
        rows, half_rows = self._rows, self._rows // 2
        first, last = self._seen
        here, half = np.s_[:rows, first:last], np.s_[:half_rows, first // 2 : last // 2]
        veil: Field | None = None
        if self._still is None:
            veil = self._paint_air(canvas, i)
            moves = self._clouds is not None or self._aurora is not None or self._stage.reading.has("milkyway")
            if not moves:
                self._still = canvas.y[here].copy(), canvas.u[half].copy(), canvas.v[half].copy()
        else:
            canvas.y[here], canvas.u[half], canvas.v[half] = self._still
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
        rows, (first, last), (before, after) = self._rows, self._seen, self._beside
        yuv = to_yuv(film(sky))
        width = last - first + before + after
        large = resized(yuv[..., 0], (width, rows))[:, before : width - after]
        canvas.y[:rows, first:last] = total_bytes(large, self._grain[:, first:last])
        half = np.s_[first // 2 : last // 2]
        for plane, n in ((canvas.u, 1), (canvas.v, 2)):
            small = resized(yuv[..., n], (width // 2, rows // 2))[:, before // 2 : (width - after) // 2]
            plane[: rows // 2, half] = total_bytes(small, self._grain_half[:, half])
        return veil


def _wholly(columns: tuple[int, int], step: int, width: int) -> tuple[int, int]:
    """Columns widened to whole pixels of the small picture; all of them where it is no whole part of the frame."""
    unit = 2 * step
    if width % unit:
        return 0, width
    first, last = columns
    return max(0, first // unit * unit), min(width, -(-last // unit) * unit)


def _coarse_columns(columns: tuple[int, int], step: int, size: int) -> tuple[int, int, int, int]:
    """The columns of the small picture that are enlarged, two more on each side that is no edge of the frame, and how
    many columns of the frame those two make."""
    first, last = columns
    begin, end = max(0, first // step - 2), min(size, -(-last // step) + 2)
    return begin, end, first - begin * step, (end * step - last if end < size else 0)
