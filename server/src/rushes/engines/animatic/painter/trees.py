"""Conifers, drawn branch by branch once and then set into layers in many sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.colour import Rgb, array, scaled
from rushes.engines.animatic.painter.layers import Layer, make_layer, margins
from rushes.engines.animatic.painter.noise import sample, smoothstep, spectral
from rushes.engines.animatic.painter.raster import Field, blurred, filled, linear_map, resized, single, strokes
from rushes.engines.animatic.painter.stage import Stage

TALL, WIDE = 640, 380
"""Rows and columns of the drawing's own measure; it is scaled to the size of the frame."""

Lines = list[NDArray[np.int32]]
Colours = tuple[Field, Field, Field]


@dataclass(slots=True)
class Tree:
    """A drawing at several sizes, each half as large as the one before: (h, w, 3) of shade (dark to lit), snow and
    alpha, each 0..1, the first two times the third."""

    sizes: list[Field]

    @classmethod
    def of(cls, shade: Field, snow: Field, alpha: Field) -> Tree:
        """From the three of the same shape."""
        sizes = [single(np.dstack([shade * alpha, snow * alpha, alpha]))]
        while len(sizes) < 3:
            rows, columns = sizes[-1].shape[:2]
            sizes.append(resized(sizes[-1], (max(1, columns // 2), max(1, rows // 2)), area=True))
        return cls(sizes)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the largest."""
        return self.sizes[0].shape[0], self.sizes[0].shape[1]

    def resized(self, width: int, height: int) -> Field:
        """The drawing at this size."""
        fit = [size for size in self.sizes if size.shape[0] >= height and size.shape[1] >= width]
        return resized(fit[-1] if fit else self.sizes[0], (width, height), area=True)


def _branch(
    rng: np.random.Generator, start: tuple[float, float], shape: tuple[float, float, float], scale: float
) -> tuple[Lines, Lines]:
    """Needle strokes of one bough, and the strokes on its upper side that catch light and snow; 1/16 pixels.

    `shape` is its length, its side (-1 or 1) and its droop.
    """
    length, side, droop = shape
    steps = max(4, int(length / 5.5))
    s = (np.arange(steps) + rng.random(steps)) / steps
    x = start[0] + side * length * s
    y = start[1] + droop * length * s**1.4 - 0.16 * length * np.sin(np.pi * s) - 0.10 * length * s**4
    reach = length * 0.23 * (1.15 - 0.75 * s) + 3.5
    lean, fall = rng.uniform(0.1, 0.95, (3, steps)), rng.uniform(0.25, 1.0, (3, steps))
    tips = np.stack([x + side * lean * reach, y + fall * reach], axis=-1).reshape(-1, 2)
    needles = np.stack([np.tile(np.stack([x, y], axis=1), (3, 1)), tips], axis=1)
    ends = np.stack([x + side * rng.uniform(4, 9, steps), y + rng.uniform(0.2, 2.4, steps)], axis=1)
    tops = np.stack([np.stack([x - side * 2.5, y], axis=1), ends], axis=1)
    return list(np.round(needles * 16 * scale).astype(np.int32)), list(np.round(tops * 16 * scale).astype(np.int32))


def grow(rng: np.random.Generator, tall: int) -> Tree:
    """One tree drawn `tall` pixels high, different each time."""
    scale = tall / TALL
    shade, snow, alpha = (np.zeros((tall, int(WIDE * scale)), np.uint8) for _ in range(3))
    thick = max(1, round(2 * scale))
    middle = WIDE / 2
    lean = rng.uniform(-6, 6)
    slim = rng.uniform(0.30, 0.44)
    trunk = np.array([(middle - 6, TALL), (middle + lean - 1, 20), (middle + lean + 1, 20), (middle + 6, TALL)])
    for plane, value in ((shade, 26), (alpha, 255)):
        filled(plane, trunk, value, scale)
    # Small trees show fewer boughs.
    tiers = int(rng.integers(36, 44) * min(1.0, 0.45 + tall / 800))
    for tier in range(tiers, 0, -1):
        t = (tier - rng.uniform(0, 0.5)) / tiers
        y = 10 + t**0.96 * (TALL * 0.905)
        x = middle + lean * (1 - t)
        longest = WIDE * slim * t**0.78 + 9
        for _ in range(5 if t > 0.3 else 4):
            side = 1.0 if rng.random() < 0.5 else -1.0
            turn = rng.uniform(0.35, 1.0)
            length = longest * turn * rng.uniform(0.82, 1.08)
            droop = 0.42 + 0.30 * (1 - turn) + rng.uniform(-0.05, 0.08)
            needles, tops = _branch(rng, (x, y + rng.uniform(-5, 5)), (length, side, droop), scale)
            tone = int(55 + 75 * (1 - turn) + 40 * rng.random())
            strokes(alpha, needles, (255,), thick)
            strokes(shade, needles, (tone,), thick)
            strokes(snow, needles, (0,), thick)
            strokes(shade, tops, (min(tone + 85, 255),), thick)
            strokes(snow, tops, (255,), thick)
    tip = [np.round(np.array([(middle + lean, 3), (middle + lean, 40)]) * 16 * scale).astype(np.int32)]
    strokes(alpha, tip, (255,), thick)
    strokes(shade, tip, (90,), thick)
    return Tree.of(*(single(plane / np.float32(255)) for plane in (shade, snow, alpha)))


def grove(stage: Stage, count: int = 6) -> list[Tree]:
    """The few different trees of a scene."""
    rng = stage.rng("grove")
    tall = int(np.clip(1.15 * stage.unit, 120, 1000))
    return [grow(rng, tall) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of trees. Sizes in units."""

    base: float
    """Row of the feet below the horizon."""
    tall: float
    count: float
    """Trees per unit of width."""
    k: float
    haze: float
    gap: float = 0.0
    """How far from the middle the first trees stand, in units."""
    snow: float = 0.0
    """0..1"""
    ground: Rgb | None = None
    """Colour of the ground below the feet, scene-linear; None leaves it open."""
    clearing: float = 0.0
    """Where the middle of the gap lies, in units right of the frame's middle; farther rows follow less."""
    leaves: tuple[Rgb, ...] = ()
    """Colours of broad leaves; none for conifers."""


def tree_row(stage: Stage, trees: list[Tree], row: Row, tag: str) -> Layer:
    """A row of trees as a layer, hazed, with ground below their feet where asked."""
    rng = stage.rng("trees " + tag)
    side, above = margins(stage, row.k)
    width = stage.width + 2 * side
    foot = stage.horizon + row.base * stage.unit
    top = int(max(foot - 1.28 * row.tall * stage.unit, -above)) & ~1
    bottom = min(stage.height + above, int(foot + 0.35 * stage.unit))
    height = max(8, (bottom - top + 1) & ~1)
    rgb, alpha = _ground(stage, row, (height, width), foot - top)
    count = max(2, int(row.count * width / stage.unit))
    places = np.sort(rng.uniform(0, 1, count) + 0) if row.gap == 0 else _beside_gap(stage, rng, row, count, width)
    for x in rng.permutation(places):
        size = row.tall * stage.unit * rng.uniform(0.62, 1.22)
        at = (x * width, foot - top + rng.uniform(-0.004, 0.012) * stage.unit)
        _set(rgb, alpha, trees[int(rng.integers(len(trees)))], size, at, rng.random() < 0.5, _colours(stage, row, rng))
    # Trees are laid over nothing, so their soft edges hold less than their full colour.
    rgb /= np.maximum(alpha, 0.02)[..., None]
    air = array(stage.light.haze)
    rows = np.arange(height, dtype=np.float32)[:, None]
    low = smoothstep(foot - top - 0.6 * row.tall * stage.unit, foot - top + 0.02 * stage.unit, rows)
    amount = row.haze + (1 - row.haze) * 0.35 * low * (row.haze > 0.05)
    rgb += (air - rgb) * np.broadcast_to(amount, alpha.shape)[..., None]
    return make_layer(stage, rgb, alpha, row.k, -side, top, "trees " + tag)


def lone_tree(stage: Stage, tree: Tree, size: float, at: tuple[float, float], air: tuple[float, float], leaf: Rgb,
              tag: str) -> Layer:  # fmt: skip
    """One tree as a layer, its foot at a column and row of the frame; `air` is its nearness and its haze."""
    k, haze = air
    rows, columns = tree.shape
    height, width = int(size) + 8 & ~1, int(size * columns / rows) + 8 & ~1
    rgb, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    _set(rgb, alpha, tree, size, (width / 2, height - 4), False, leafy(stage, leaf))
    rgb /= np.maximum(alpha, 0.02)[..., None]
    rgb += (array(stage.light.haze) - rgb) * np.float32(haze)
    left, top = round(at[0] - width / 2), round(at[1] - height + 6)
    return make_layer(stage, rgb, alpha, k, left, top, "tree " + tag)


def leafy(stage: Stage, leaf: Rgb) -> Colours:
    """Dark and lit bark, and the leaves' colour in full light."""
    light = stage.light
    bark = array((0.085, 0.062, 0.045))
    low = light.sun_height < 0.2 and light.glow > 0.5
    full = array(leaf) * (array(light.fill) * 1.45 + array(light.key) * (0.50 if low else 0.80))
    lit = bark * (array(light.fill) + array(light.key) * 0.7)
    return single(bark * array(light.fill) * 0.6), single(lit), single(full)


def _beside_gap(stage: Stage, rng: np.random.Generator, row: Row, count: int, width: int) -> NDArray[np.float64]:
    half = width / stage.unit / 2
    gap = min(row.gap, 0.72 * half)
    away = gap + (half * 1.05 - gap) * rng.random(count)
    sides = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    middle = row.clearing * (0.4 + 0.6 * row.k)
    return np.clip(0.5 + (middle + sides * away) * stage.unit / width, -0.06, 1.06)


def _colours(stage: Stage, row: Row, rng: np.random.Generator) -> Colours:
    """Dark, lit and snow colours of one tree."""
    if row.leaves:
        return leafy(stage, scaled(row.leaves[int(rng.integers(len(row.leaves)))], float(rng.uniform(0.7, 1.15))))
    light = stage.light
    fill, key = array(light.fill), array(light.key)
    hue = array((0.045, 0.066, 0.036)) * np.float32(rng.uniform(0.8, 1.2))
    dark = hue * fill * 0.9
    lit = hue * (fill * 1.6 + key * 0.9)
    white = array((0.80, 0.84, 0.92)) * (fill * 1.5 + key * 0.42)
    return dark.astype(np.float32), lit.astype(np.float32), (white * row.snow).astype(np.float32)


def _ground(stage: Stage, row: Row, size: tuple[int, int], foot: float) -> tuple[Field, Field]:
    rgb = np.zeros((*size, 3), np.float32)
    alpha = np.zeros(size, np.float32)
    if row.ground is not None:
        rng = stage.rng(f"ground {row.base}")
        walk: NDArray[np.float64] = np.cumsum(rng.normal(0, 1, size[1] // 8 + 3))
        bumps = walk - np.linspace(float(walk[0]), float(walk[-1]), walk.size)
        line = np.interp(np.arange(size[1]) / 8, np.arange(bumps.size), blurred(single(bumps[:, None]), 6)[:, 0])
        edge = foot - 0.006 * stage.unit + line[None, :] * 0.0016 * stage.unit
        first = int(np.clip(np.floor(edge.min()), 0, size[0] - 1))
        rows = np.arange(first, size[0], dtype=np.float32)[:, None]
        alpha[first:] = np.clip(rows - edge, 0, 1)
        deep = np.maximum(rows - edge, 0) / np.float32(stage.unit)
        away = 0.10 / (deep + 0.05 + 0.3 * row.base)
        x = (np.arange(size[1], dtype=np.float32)[None, :] / size[1] - 0.5) * np.float32(size[1] / stage.unit)
        drifts = spectral(rng, 256, 3.0, low=2, high=40)
        bump = sample(drifts, x * away * 0.5, away * 0.35) - sample(drifts, x * away * 0.5 + 0.012, away * 0.35 - 0.004)
        fall = np.clip(1.05 - 0.45 * deep + 0.55 * bump, 0.5, 1.4)
        rgb[first:] = array(row.ground) * (fall * alpha[first:])[..., None]
    return rgb, alpha


def _set(
    rgb: Field, alpha: Field, tree: Tree, size: float, at: tuple[float, float], flip: bool, colours: Colours
) -> None:
    """Draw one tree of `size` pixels with its foot at `at` (column, row)."""
    rows, columns = tree.shape
    width, height = max(2, int(size * columns / rows)), max(3, int(size))
    small = tree.resized(width, height)
    if flip:
        small = small[:, ::-1]
    left, top = int(at[0] - width / 2), int(at[1] - height)
    x0, x1 = max(left, 0), min(left + width, alpha.shape[1])
    y0, y1 = max(top, 0), min(top + height, alpha.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    cut = small[y0 - top : y1 - top, x0 - left : x1 - left]
    dark, lit, white = colours
    # Colour times cover: the drawing's planes are multiplied already.
    colour = linear_map(cut, single(np.stack([lit - dark, np.zeros(3), dark], axis=1)))
    shade, snow, cover = cut[..., 0], cut[..., 1], cut[..., 2]
    if white.any():
        whole = np.maximum(cover, np.float32(1e-3))
        colour *= (1 - snow / whole)[..., None]
        colour += ((np.float32(0.35) + np.float32(0.65) * shade / whole) * snow)[..., None] * white
    window = np.s_[y0:y1, x0:x1]
    rgb[window] *= (1 - cover)[..., None]
    rgb[window] += colour
    alpha[window] += (1 - alpha[window]) * cover
