"""The walls of a street: house fronts with shops and signs, in one long texture at several sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb, array, dither, film, to_yuv
from rushes.engines.animatic.painter.facade import NEON, WARM, house, tube_sign
from rushes.engines.animatic.painter.raster import Field, Plane, as_bytes, channels, resized
from rushes.engines.animatic.painter.stage import Stage

FINE, COARSE = 26, 12
"""Texture pixels per metre of wall, for large and for small frames."""
LENGTH = 80
"""Metres of wall before it repeats."""
TALL = 40
"""Metres of wall above the road."""
LEVELS = 5


@dataclass(slots=True)
class Size:
    """A wall's texture at one size: premultiplied Y and alpha, and U, V and alpha, uint8; the first column again at the
    end."""

    y: Plane
    alpha: Plane
    colour: tuple[Plane, Plane, Plane]
    solid: int
    """First row from which on it is opaque."""


@dataclass(slots=True)
class Wall:
    """One side of the street at several sizes, each half as large as the one before."""

    sizes: list[Size]


def _size(pixels: Field) -> Size:
    coded = as_bytes(pixels)
    y, u, v, alpha = (np.pad(plane, ((0, 0), (0, 1)), mode="wrap") for plane in channels(coded))
    open_rows = np.flatnonzero(alpha.min(axis=1) < 255)
    return Size(y, alpha, (u, v, alpha), int(open_rows[-1]) + 1 if open_rows.size else 0)


def wall_texture(stage: Stage, metre: int, tag: str) -> Wall:
    rng = stage.rng(tag)
    rows, cols = TALL * metre, LENGTH * metre
    rgb = np.zeros((rows, cols, 3), np.float32)
    alpha = np.zeros((rows, cols), np.float32)
    left = 0
    while left < cols:
        width = min(int(rng.uniform(8, 17) * metre), cols - left)
        if cols - left - width < 6 * metre:
            width = cols - left
        tall = int(rng.uniform(13, TALL - 2) * metre)
        cell = (int(rng.uniform(1.1, 2.0) * metre), int(rng.uniform(2.4, 3.1) * metre))
        front = house(stage, rng, width, tall, cell, 0.2)
        front *= 0.75
        front[:, :3] *= 0.35
        _dress(stage, rng, front, metre)
        rgb[rows - tall :, left : left + width] = front
        alpha[rows - tall :, left : left + width] = 1
        left += width
    shaded = to_yuv(film(rgb)) * alpha[..., None]
    pixels = np.dstack([shaded, alpha * 255])
    pixels[..., 0] += dither(rng, rows, cols) * alpha
    sizes = [_size(pixels)]
    for _ in range(LEVELS - 1):
        pixels = resized(pixels, (pixels.shape[1] // 2, pixels.shape[0] // 2), area=True)
        sizes.append(_size(pixels))
    return Wall(sizes)


def _dress(stage: Stage, rng: np.random.Generator, front: Field, metre: int) -> None:
    """A shop at street level, ledges of light and signs, in place."""
    rows, cols = front.shape[:2]
    dark = stage.reading.time in ("night", "neon", "sunset")
    power = np.float32(1.0 if dark else 0.3)
    shop = int(3.8 * metre)
    _shop(rng, front[-shop:], power, metre)
    if rng.random() < 0.6:
        tube = array(NEON[int(rng.integers(len(NEON)))]) * power
        row = rows - shop - int(0.5 * metre)
        front[row : row + 3, 6:-6] = tube * 1.6
        front[row - 10 : row, 6:-6] += tube * np.linspace(0.02, 0.20, 10, dtype=np.float32)[:, None, None]
        front[row + 3 : row + 13, 6:-6] += tube * np.linspace(0.20, 0.02, 10, dtype=np.float32)[:, None, None]
    for _ in range(int(rng.integers(2, 5))):
        if rng.random() < 0.6:
            height, width = int(rng.uniform(3, 8) * metre), int(rng.uniform(0.8, 1.5) * metre)
        else:
            height, width = int(rng.uniform(0.8, 1.6) * metre), int(rng.uniform(2.5, 6) * metre)
        room = rows - shop - metre - height
        if room < 0 or width > cols - metre:
            continue
        top = room - int(float(rng.random()) * min(room, 8 * metre))
        left = int(0.3 * metre + float(rng.random()) * (cols - width - 0.6 * metre))
        colour = NEON[int(rng.integers(len(NEON)))]
        front[top : top + height, left : left + width] = tube_sign(rng, height, width, colour) * power
        _halo(front, (top, left, height, width), colour, power, metre)


def _halo(front: Field, box: tuple[int, int, int, int], colour: Rgb, power: np.float32, metre: int) -> None:
    """The light that a sign throws on the wall around it, in place."""
    top, left, height, width = box
    spread = 2 * metre
    y0, y1 = max(0, top - spread), min(front.shape[0], top + height + spread)
    x0, x1 = max(0, left - spread), min(front.shape[1], left + width + spread)
    y, x = np.arange(y0, y1, dtype=np.float32)[:, None], np.arange(x0, x1, dtype=np.float32)[None, :]
    beside = np.hypot(
        np.maximum(np.maximum(left - x, x - left - width), 0), np.maximum(np.maximum(top - y, y - top - height), 0)
    )
    glow = np.exp(-beside / (0.55 * metre)) * (beside > 0)
    front[y0:y1, x0:x1] += glow[..., None] * array(colour) * (np.float32(0.16) * power)


def _shop(rng: np.random.Generator, shop: Field, power: np.float32, metre: int) -> None:
    """Shop windows: lit from above, shelves and people as dark shapes, frames and a fascia; in place."""
    rows, cols = shop.shape[:2]
    fascia, sill = rows // 5, rows // 9
    shop[:] *= 0.35
    left = 6
    while left < cols - 2 * metre:
        width = min(int(rng.uniform(1.6, 4.2) * metre), cols - left - 6)
        lit = rng.random() < 0.72
        colour = array(WARM[int(rng.integers(len(WARM)))]) if rng.random() < 0.6 else array(NEON[int(rng.integers(6))])
        height = rows - fascia - sill
        fall = np.linspace(1.0, 0.28, height, dtype=np.float32)[:, None, None]
        pane = np.repeat(colour[None, None, :] * fall, width, axis=1) * np.float32(rng.uniform(0.25, 0.55))
        for _ in range(int(rng.integers(3, 9))):
            w, h = int(rng.uniform(0.15, 0.7) * metre), int(rng.uniform(0.3, 1.9) * metre)
            at = int(rng.uniform(0, max(1, width - w)))
            pane[max(0, height - h) :, at : at + w] *= rng.uniform(0.25, 0.8)
        for shelf in range(height // 4, height, max(4, height // 4)):
            pane[shelf : shelf + 2] *= 0.5
        shop[fascia : fascia + height, left : left + width] = pane * (power if lit else power * 0.08)
        left += width + int(0.25 * metre)
    board = array(NEON[int(rng.integers(len(NEON)))])
    shop[2 : fascia - 4, 8 : cols - 8] = (
        tube_sign(rng, fascia - 6, cols - 16, (float(board[0]), float(board[1]), float(board[2]))) * power * 0.8
    )
