"""Layers: pictures with alpha that are painted once and then moved and scaled by their nearness k."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import dither, film, to_yuv
from rushes.engines.animatic.painter.raster import (
    Field,
    Plane,
    as_bytes,
    blurred,
    bordered,
    combined,
    product,
    resized,
    sampled,
    total,
    weighted,
)
from rushes.engines.animatic.painter.stage import Stage


@dataclass(slots=True)
class Layer:
    """Premultiplied planes and inverse alphas. Pixel (0, 0) of `y` lies at `left`, `top` of the frame at rest."""

    y: Plane
    u: Plane
    v: Plane
    clear: Plane
    """255 - alpha, full size."""
    clear_half: Plane
    """255 - alpha, half size."""
    left: int
    top: int
    k: float
    solid: int
    """First row from which on every pixel is opaque; the number of rows if there is none."""


def margins(stage: Stage, k: float) -> tuple[int, int]:
    """Even pixels that a layer of nearness k needs on either side, and above and below."""
    x, y = stage.path.reach()
    return 2 * int(np.ceil(x * k * stage.width / 2 + 2)), 2 * int(np.ceil(y * k * stage.height / 2 + 2))


def make_layer(stage: Stage, rgb: Field, alpha: Field, k: float, left: int, top: int, tag: str) -> Layer:
    """A layer from scene-linear RGB (h, w, 3) and alpha (h, w), both even-sized; dithered before rounding.

    Rows and columns in which nothing is to be seen are cut off on all four sides.
    """
    seen = np.flatnonzero(alpha.max(axis=1) > 0.004)
    first, last = (int(seen[0]) & ~1, (int(seen[-1]) + 2) & ~1) if seen.size else (0, 2)
    # One empty row stays on either side, so that the edge of the picture is not repeated beyond it.
    first, last = max(first - 2, 0), min(last + 2, alpha.shape[0])
    shown = np.flatnonzero(alpha.max(axis=0) > 0.004)
    begin, end = (int(shown[0]) & ~1, (int(shown[-1]) + 2) & ~1) if shown.size else (0, 2)
    begin, end = max(begin - 2, 0), min(end + 2, alpha.shape[1])
    rgb, alpha = rgb[first:last, begin:end], alpha[first:last, begin:end]
    left, top = left + begin, top + first
    # What is a little soft stays equally sharp wherever it moves between the pixels.
    yuv = blurred(to_yuv(film(rgb)) * alpha[..., None], 0.5)
    alpha = blurred(alpha, 0.5)
    rng = stage.rng("dither " + tag)
    half = (alpha.shape[1] // 2, alpha.shape[0] // 2)
    y = yuv[..., 0] + dither(rng, *alpha.shape) * (alpha > 0.02)
    small = resized(np.dstack([yuv[..., 1:], alpha]), half, area=True)
    noise = dither(rng, half[1], half[0], 0.5)
    u, v = (as_bytes(small[..., n] + noise * (small[..., 2] > 0.02)) for n in (0, 1))
    clear = as_bytes(255 - 255 * alpha)
    see_through = np.flatnonzero(clear.any(axis=1))
    solid = int(see_through[-1]) + 1 if see_through.size else 0
    return Layer(as_bytes(y), u, v, clear, as_bytes(255 - 255 * small[..., 2]), left, top, k, solid)


class LayerPass:
    """Moves one layer with the camera and blends it in, touching only the rows where it shows.

    `until` is the next nearer layer: rows below its first solid row are left to it. `drift` is a motion of its own in
    pixels per second to the right; halfway through, the layer is where it lies at rest.
    """

    def __init__(self, stage: Stage, layer: Layer, until: Layer | None = None, drift: float = 0.0) -> None:
        self._stage = stage
        self._layer = layer
        self._until = until
        self._drift = drift

    def _transform(self, layer: Layer, i: int) -> tuple[float, float, float]:
        """Scale s and shifts tx, ty with screen = s * layer pixel + t."""
        stage, path = self._stage, self._stage.path
        s = 1 + float(path.zoom[i]) * layer.k
        centre_x, centre_y = stage.width / 2, stage.horizon
        tx = centre_x + s * (layer.left - centre_x) + float(path.x[i]) * layer.k * stage.width
        ty = centre_y + s * (layer.top - centre_y) + float(path.y[i]) * layer.k * stage.height
        return s, tx, ty

    def covers_from(self) -> int:
        """The row from which on the layer hides all behind it, in every frame; the frame's height if there is none."""
        height, solid = self._stage.height, self._layer.solid
        if solid >= self._layer.y.shape[0]:
            return height
        moves = (self._transform(self._layer, i) for i in range(self._stage.count))
        return min(height, max(int(np.ceil(ty + s * (solid + 1))) + 2 for s, _, ty in moves))

    def paint(self, canvas: Canvas, i: int) -> None:
        layer = self._layer
        s, tx, ty = self._transform(layer, i)
        tx += self._drift * (self._stage.seconds(i) - self._stage.seconds(self._stage.count) / 2)
        first = max(0, int(np.floor(ty - 1))) & ~1
        last = min(canvas.height, int(np.ceil(ty + s * layer.y.shape[0])))
        if self._until is not None:
            near_s, _, near_ty = self._transform(self._until, i)
            if self._until.solid < self._until.y.shape[0]:
                last = min(last, int(np.ceil(near_ty + near_s * self._until.solid)) + 4)
        last = (last + 1) & ~1
        if last <= first:
            return
        solid = min(last, max(first, int(np.ceil(ty + s * (layer.solid + 1))) + 1)) & ~1
        self._blend(canvas, first, solid, last, (s, tx, ty))

    def _blend(self, canvas: Canvas, first: int, solid: int, last: int, move: tuple[float, float, float]) -> None:
        layer = self._layer
        s, tx, ty = move
        half = (s, (tx + 0.5 * s - 0.5) / 2, (ty + 0.5 * s - 0.5) / 2)
        # Of a layer narrower than the frame only the columns where it shows are touched.
        left = max(0, int(np.floor(tx)) - 2) & ~1
        right = min(canvas.width, int(np.ceil(tx + s * layer.y.shape[1])) + 3) & ~1
        if right - left < 4:
            return
        full = _window((first, last), (left, right), move)
        small = _window((first // 2, last // 2), (left // 2, right // 2), half)
        over([(canvas.y[first:last, left:right], layer.y)], layer.clear, full, solid - first)
        part = np.s_[first // 2 : last // 2, left // 2 : right // 2]
        chroma = [(canvas.u[part], layer.u), (canvas.v[part], layer.v)]
        over(chroma, layer.clear_half, small, (solid - first) // 2)


Move = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Shift:
    """A window moved without scaling: its first row and column in the layer, and the parts of a pixel beyond.

    It may reach over the layer's edges, which are repeated there.
    """

    row: int
    column: int
    down: float
    right: float
    rows: int
    columns: int

    def cut(self, plane: Plane, rows: int, lift: float = 0.0) -> Plane:
        """The first `rows` rows of the window: cubic sideways, bilinear downwards; `lift` is added before rounding."""
        part = _reaching(plane, (self.row, self.row + rows + 1), (self.column - 1, self.column + self.columns + 2))
        part = _sideways(part, self.right, lift) if self.right > 0.004 else part[:, 1:-2]
        return weighted(part[1:], self.down, part[:-1]) if self.down > 0.004 else part[:-1]


def _reaching(plane: Plane, rows: tuple[int, int], columns: tuple[int, int]) -> Plane:
    """These rows and columns of a plane, its edges repeated beyond it."""
    height, width = plane.shape
    above, below = max(0, -rows[0]), max(0, rows[1] - height)
    left, right = max(0, -columns[0]), max(0, columns[1] - width)
    part = plane[
        min(max(rows[0], 0), height - 1) : max(rows[1], 1), min(max(columns[0], 0), width - 1) : max(columns[1], 1)
    ]
    return bordered(part, above, below, left, right) if above or below or left or right else part


def _sideways(part: Plane, right: float, lift: float) -> Plane:
    """A quarter or half pixel to the right and the like, by Catmull-Rom; three columns fewer.

    Bilinear would blur most at half a pixel and not at all at none, so the picture would breathe as it moves.
    """
    f = right
    far_left, left = -0.5 * f + f**2 - 0.5 * f**3, 1 - 2.5 * f**2 + 1.5 * f**3
    next_right, far_right = 0.5 * f + 2 * f**2 - 1.5 * f**3, -0.5 * f**2 + 0.5 * f**3
    # The inner two alone may exceed 255, so they are held at 4/5 until the outer two are taken away.
    middle = combined(part[:, 1:-2], 0.8 * left, part[:, 2:-1], 0.8 * next_right)
    outer = combined(part[:, :-3], far_left / (far_left + far_right), part[:, 3:], far_right / (far_left + far_right))
    return combined(middle, 1.25, outer, far_left + far_right, lift)


@dataclass(frozen=True, slots=True)
class _Mesh:
    """A window moved and scaled: where its pixels lie in the layer."""

    x: Field
    y: Field

    def cut(self, plane: Plane, rows: int, lift: float = 0.0) -> Plane:
        """The first `rows` rows of the window, bilinear, which needs no `lift`."""
        return sampled(plane, self.x[:rows], self.y[:rows], cv2.BORDER_REPLICATE)


def _window(rows: tuple[int, int], columns: tuple[int, int], move: Move) -> _Shift | _Mesh:
    """Rows first..last and columns left..right of the screen as a window on a layer of this shape."""
    s, tx, ty = move
    (first, last), (left, right) = rows, columns
    if s == 1:
        row, column = int(np.floor(first - ty)), int(np.floor(left - tx))
        return _Shift(row, column, first - ty - row, left - tx - column, last - first, right - left)
    return _Mesh(*_maps(rows, columns, move))


def _maps(rows: tuple[int, int], columns: tuple[int, int], move: Move) -> tuple[Field, Field]:
    """Where these rows and columns of the screen lie in the layer."""
    s, tx, ty = move
    (first, last), (left, right) = rows, columns
    x = ((np.arange(left, right, dtype=np.float32) - np.float32(tx)) / np.float32(s))[None, :]
    y = ((np.arange(first, last, dtype=np.float32) - np.float32(ty)) / np.float32(s))[:, None]
    shape = (last - first, right - left)
    return np.ascontiguousarray(np.broadcast_to(x, shape)), np.ascontiguousarray(np.broadcast_to(y, shape))


def over(pairs: list[tuple[Plane, Plane]], clear: Plane, window: _Shift | _Mesh, solid: int) -> None:
    """Blend a window of a layer over the canvas, in (canvas, layer) pairs of planes; rows from `solid` are copied."""
    # Without the third of a level a clear 255 may come out as 254, and all behind it would darken for a frame.
    veil = window.cut(clear, solid, lift=0.34) if solid > 0 else None
    for dst, colour in pairs:
        moved = window.cut(colour, dst.shape[0])
        if veil is not None:
            dst[:solid] = total(product(dst[:solid], veil), moved[:solid])
        dst[solid:] = moved[solid:]
