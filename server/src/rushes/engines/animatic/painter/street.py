"""A street seen along its axis: two walls and a wet road that the camera moves through, in true perspective."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import scaled, yuv
from rushes.engines.animatic.painter.raster import (
    Field,
    Plane,
    as_bytes,
    graded,
    inverted,
    product,
    sampled,
    single,
    total,
)
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.wall import COARSE, FINE, LENGTH, LEVELS, TALL, Size, Wall, wall_texture

HALF = 9.0
"""Metres from the camera to either wall."""
EYE = 2.1
"""Metres from the road to the camera."""
REACH = 260.0
"""Metres after which the street is lost in the air."""


class Street:
    """Both walls; the sky is left as it is."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._metre = FINE if stage.unit > 400 else COARSE
        with ThreadPoolExecutor(2) as hands:
            left, right = hands.map(partial(wall_texture, stage, self._metre), ("left wall", "right wall"))
        self._walls = (left, right)
        self._focal = 0.98 * stage.unit
        self._air = yuv(stage.light.haze)
        self._ground = tuple(int(value) for value in yuv(scaled(stage.light.haze, 0.4)))
        self._offset = (float(stage.rng("street").uniform(0, LENGTH)), float(stage.rng("street 2").uniform(0, LENGTH)))

    def between(self) -> tuple[int, int]:
        """The columns between the walls, in any frame, over which a roof may be lower than the frame's top."""
        roof = min(
            (size.y.shape[0] - size.solid - 1) * 2**n / self._metre
            for wall in self._walls
            for n, size in enumerate(wall.sizes)
        )
        if roof <= EYE + 1:
            return 0, self._stage.width
        aside = self._stage.horizon * HALF / (roof - EYE) + 8
        middles = [self.camera(i)[1] for i in range(self._stage.count)]
        return max(0, int(min(middles) - aside)), min(self._stage.width, int(max(middles) + aside) + 1)

    def camera(self, i: int) -> tuple[float, float]:
        """Metres walked, and the column of the vanishing point, at frame `i`."""
        stage, path = self._stage, self._stage.path
        walked = 46.0 * float(path.zoom[i])
        return walked, stage.width / 2 + float(path.x[i]) * 0.35 * stage.width

    def paint(self, canvas: Canvas, i: int) -> None:
        walked, middle = self.camera(i)
        bottom = canvas.height
        # The road mirrors what is painted here, so nothing of an earlier frame may be left below the horizon.
        low = int(np.ceil(self._stage.horizon)) & ~1
        canvas.y[low:], canvas.u[low // 2 :], canvas.v[low // 2 :] = self._ground
        self._side(canvas, self._walls[0], np.arange(0, max(2, int(middle) - 1 & ~1)), middle, walked, 0, bottom)
        first = min(canvas.width - 2, int(middle) + 2 & ~1)
        self._side(canvas, self._walls[1], np.arange(first, canvas.width), middle, walked, 1, bottom)

    def _side(
        self,
        canvas: Canvas,
        wall: Wall,
        columns: NDArray[np.int_],
        middle: float,
        walked: float,
        which: int,
        bottom: int,
    ) -> None:
        aside = np.maximum(np.abs(columns + 0.5 - middle), 1.0).astype(np.float32)
        away = np.float32(self._focal * HALF) / aside
        # Metres of wall per pixel: along the street it grows with the square of the distance.
        step = away**2 / np.float32(self._focal * HALF)
        level = np.clip(np.log2(np.maximum(step * self._metre * 0.55, 1e-3)), 0, LEVELS - 1).astype(int)
        along = away + np.float32(walked + self._offset[which])
        for n in range(LEVELS):
            pick = np.flatnonzero(level == n)
            if pick.size == 0:
                continue
            first = int(columns[pick[0]]) & ~1
            last = min(int(columns[pick[-1]]) + 2 & ~1, canvas.width)
            index = np.clip(np.arange(first, last) - int(columns[0]), 0, columns.size - 1)
            self._strip(canvas, wall.sizes[n], (first, last), away[index], along[index], self._metre / 2**n, bottom)

    def _strip(self, canvas: Canvas, texture: Size, span: tuple[int, int], away: Field, along: Field, scale: float,
               bottom: int) -> None:  # fmt: skip
        """Columns of one size of texture: its rows by height above the road, its columns by distance."""
        horizon = self._stage.horizon
        rows, cols = texture.y.shape[0], texture.y.shape[1] - 1
        top = max(0, int(horizon - (TALL - EYE) / max(float(away.min()), 1.0) * self._focal)) & ~1
        low = min(bottom, int(horizon + EYE / float(away.min()) * self._focal) + 2) & ~1
        y = np.arange(top, low, dtype=np.float32)[:, None]
        slope = away[None, :] * np.float32(scale / self._focal)
        foot = np.float32(rows - EYE * scale - 0.5)
        map_y = single((foot - np.float32(horizon) * slope) + y * slope)
        map_x = np.ascontiguousarray(np.broadcast_to((along * np.float32(scale)) % cols, map_y.shape))
        clear_air = np.exp(-away / np.float32(REACH * 0.42))
        fade = np.ascontiguousarray(np.broadcast_to(as_bytes(clear_air * 255), map_y.shape))
        # Between the lowest roof and the foot of the wall nothing shows through.
        roof = int(np.ceil(horizon + float(((texture.solid + 1 - foot) / slope).max()))) + 2 & ~1
        ground = int(horizon + float(((rows - 1 - foot) / slope).min())) - 1 & ~1
        roof = min(max(roof, top), low)
        ground = min(max(ground, roof), low)
        for begin, end, open_air in ((top, roof, True), (roof, ground, False), (ground, low, True)):
            if begin < end:
                part = np.s_[begin - top : end - top]
                self._band(canvas, texture, (begin, end, *span), (map_x[part], map_y[part], fade[part]), open_air)

    def _band(self, canvas: Canvas, texture: Size, box: tuple[int, int, int, int], maps: tuple[Field, Field, Plane],
              open_air: bool) -> None:  # fmt: skip
        """Rows and columns `box` of a strip; `open_air` where something may be seen past the wall."""
        top, low, first, last = box
        map_x, map_y, fade = maps
        small_x, small_y = np.ascontiguousarray(map_x[::2, ::2]), np.ascontiguousarray(map_y[::2, ::2])
        small_fade = np.ascontiguousarray(fade[::2, ::2])
        window = canvas.y[top:low, first:last]
        alpha = sampled(texture.alpha, map_x, map_y) if open_air else None
        window[:] = _faded(window, (sampled(texture.y, map_x, map_y), alpha, fade), self._air[0])
        u, v, small_alpha = texture.colour
        alpha = sampled(small_alpha, small_x, small_y) if open_air else None
        half = np.s_[top // 2 : low // 2, first // 2 : last // 2]
        for own, plane, air in ((u, canvas.u, self._air[1]), (v, canvas.v, self._air[2])):
            plane[half] = _faded(plane[half], (sampled(own, small_x, small_y), alpha, small_fade), air)


def _faded(under: Plane, wall: tuple[Plane, Plane | None, Plane], air: float) -> Plane:
    """A premultiplied wall over what is behind it, turning into air with distance; without alpha nothing is behind."""
    seen, alpha, fade = wall
    if alpha is None:
        return total(product(seen, fade), graded(fade, -air / 255, air))
    lost = product(alpha, inverted(fade), air / 255 / 255)
    front = total(product(seen, fade), lost)
    return total(product(np.ascontiguousarray(under), inverted(alpha)), front)
