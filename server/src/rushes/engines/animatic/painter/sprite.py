"""Small pictures with alpha that are turned, scaled and blended anywhere on the canvas, also across its borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import film, to_yuv
from rushes.engines.animatic.painter.raster import Field, Plane, as_bytes, graded, product, resized, total, warped


@dataclass(slots=True)
class Sprite:
    """Premultiplied Y, U, V and alpha, uint8 (h, w, 4)."""

    pixels: Plane


def make_sprite(rgb: Field, alpha: Field) -> Sprite:
    """A sprite from scene-linear RGB (h, w, 3) and alpha (h, w)."""
    yuv = to_yuv(film(rgb)) * alpha[..., None]
    return Sprite(as_bytes(np.dstack([yuv, alpha * 255])))


def place(canvas: Canvas, sprite: Sprite, matrix: Field, strength: float = 1.0) -> None:
    """Blend a sprite whose pixel p appears at matrix @ (p, 1), a 2x3 affine map to frame pixels."""
    height, width = sprite.pixels.shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float32) @ matrix.T
    left, top = (int(np.floor(value)) - 1 & ~1 for value in corners.min(axis=0))
    right, bottom = (int(np.ceil(value)) + 2 for value in corners.max(axis=0))
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right + 1 & ~1, canvas.width), min(bottom + 1 & ~1, canvas.height)
    if right - left < 2 or bottom - top < 2:
        return
    moved = matrix.astype(np.float32).copy()
    moved[:, 2] -= (left, top)
    patch = warped(sprite.pixels, moved, (right - left, bottom - top))
    if strength < 1:
        patch = graded(patch, strength)
    blend(canvas, patch, left, top)


def blend(canvas: Canvas, patch: Plane, left: int, top: int) -> None:
    """Blend a premultiplied (h, w, 4) patch; position and size are even and inside the canvas."""
    height, width = patch.shape[:2]
    small = resized(patch, (width // 2, height // 2), area=True)
    window = np.s_[top : top + height, left : left + width]
    half = np.s_[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2]
    _over(canvas.y[window], patch[..., 0], patch[..., 3])
    _over(canvas.u[half], small[..., 1], small[..., 3])
    _over(canvas.v[half], small[..., 2], small[..., 3])


def blend_mask(canvas: Canvas, mask: Plane, left: int, top: int, colour: tuple[float, float, float]) -> None:
    """Blend one colour (Y, U, V) through a mask (h, w) placed anywhere; what lies outside is cut off."""
    height, width = mask.shape
    first_x, first_y = max(left, 0) + 1 & ~1, max(top, 0) + 1 & ~1
    last_x, last_y = min(left + width, canvas.width) & ~1, min(top + height, canvas.height) & ~1
    if last_x - first_x < 2 or last_y - first_y < 2:
        return
    cut = mask[first_y - top : last_y - top, first_x - left : last_x - left]
    share = cut.astype(np.float32) / 255
    patch = np.dstack([share * colour[0], share * colour[1], share * colour[2], cut.astype(np.float32)])
    blend(canvas, as_bytes(patch), first_x, first_y)


def _over(dst: Plane, colour: Plane, alpha: Plane) -> None:
    under = product(dst, 255 - alpha)
    dst[:] = total(under, np.ascontiguousarray(colour))


def turned(scale: float, angle: float, pivot: tuple[float, float], at: tuple[float, float]) -> Field:
    """The map that scales, turns (radians, clockwise) and moves the sprite's `pivot` to `at`."""
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[c, -s], [s, c]])
    shift = np.array(at) - linear @ np.array(pivot)
    return np.column_stack([linear, shift]).astype(np.float32)
