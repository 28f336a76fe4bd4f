"""Layers: pictures with alpha that are painted once and then moved and scaled by their nearness k."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Plane, as_bytes, dither, film, to_yuv
from rushes.engines.animatic.painter.noise import Field
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
    """A layer from scene-linear RGB (h, w, 3) and alpha (h, w), both even-sized; dithered before rounding."""
    yuv = to_yuv(film(rgb))
    rng = stage.rng("dither " + tag)
    half = (alpha.shape[1] // 2, alpha.shape[0] // 2)
    y = yuv[..., 0] * alpha + dither(rng, *alpha.shape) * (alpha > 0.02)
    small = cv2.resize(np.dstack([yuv[..., 1:] * alpha[..., None], alpha]), half, interpolation=cv2.INTER_AREA)
    noise = dither(rng, half[1], half[0], 0.5)
    u, v = (as_bytes(small[..., n] + noise * (small[..., 2] > 0.02)) for n in (0, 1))
    clear = as_bytes(255 - 255 * alpha)
    see_through = np.flatnonzero(clear.any(axis=1))
    solid = int(see_through[-1]) + 1 if see_through.size else 0
    return Layer(as_bytes(y), u, v, clear, as_bytes(255 - 255 * small[..., 2]), left, top, k, solid)


class LayerPass:
    """Moves one layer with the camera and blends it in, touching only the rows where it shows.

    `until` is the next nearer layer: rows below its first solid row are left to it.
    """

    def __init__(self, stage: Stage, layer: Layer, until: Layer | None = None) -> None:
        self._stage = stage
        self._layer = layer
        self._until = until

    def _transform(self, layer: Layer, i: int) -> tuple[float, float, float]:
        """Scale s and shifts tx, ty with screen = s * layer pixel + t."""
        stage, path = self._stage, self._stage.path
        s = 1 + float(path.zoom[i]) * layer.k
        centre_x, centre_y = stage.width / 2, stage.horizon
        tx = centre_x + s * (layer.left - centre_x) + float(path.x[i]) * layer.k * stage.width
        ty = centre_y + s * (layer.top - centre_y) + float(path.y[i]) * layer.k * stage.height
        return s, tx, ty

    def paint(self, canvas: Canvas, i: int) -> None:
        layer = self._layer
        s, tx, ty = self._transform(layer, i)
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
        full_maps = _maps(canvas.width, first, last, move)
        half_maps = _maps(canvas.width // 2, first // 2, last // 2, half)
        over(canvas.y[first:last], layer.y, layer.clear, full_maps, solid - first)
        over(canvas.u[first // 2 : last // 2], layer.u, layer.clear_half, half_maps, (solid - first) // 2)
        over(canvas.v[first // 2 : last // 2], layer.v, layer.clear_half, half_maps, (solid - first) // 2)


Maps = tuple[Field, Field]


def _maps(width: int, first: int, last: int, move: tuple[float, float, float]) -> Maps:
    """Where rows first..last of the screen lie in the layer."""
    s, tx, ty = move
    x = ((np.arange(width, dtype=np.float32) - np.float32(tx)) / np.float32(s))[None, :]
    y = ((np.arange(first, last, dtype=np.float32) - np.float32(ty)) / np.float32(s))[:, None]
    shape = (last - first, width)
    return np.ascontiguousarray(np.broadcast_to(x, shape)), np.ascontiguousarray(np.broadcast_to(y, shape))


def over(dst: Plane, colour: Plane, clear: Plane, maps: Maps, solid: int) -> None:
    """Blend a moved plane over `dst` in place; rows from `solid` on are copied."""
    moved = cv2.remap(colour, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if solid > 0:
        veil = cv2.remap(clear, maps[0][:solid], maps[1][:solid], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        under = cv2.multiply(dst[:solid], veil, scale=1 / 255)
        cv2.add(under, moved[:solid], dst=dst[:solid])
    dst[solid:] = moved[solid:]
