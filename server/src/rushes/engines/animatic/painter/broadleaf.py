"""Broad-leaved trees and palms: branches that fork, and thousands of leaves in tufts, lit from above."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.raster import Plane, blurred, filled, single, strokes
from rushes.engines.animatic.painter.trees import Tree

TALL, WIDE = 640, 640
"""Rows and columns of the drawing's own measure."""

Tuft = tuple[float, float, float]
Canvases = tuple[Plane, Plane, Plane]


def _fork(rng: np.random.Generator, start: tuple[float, float], angle: float, long: float, thick: float, depth: int,
          wood: list[tuple[NDArray[np.float64], float]], tufts: list[Tuft]) -> None:  # fmt: skip
    """One branch and its forks; angles from straight up. Ends carry tufts (x, y, size)."""
    bend = angle + float(rng.normal(0, 0.10))
    end = (start[0] + long * float(np.sin(bend)), start[1] - long * float(np.cos(bend)))
    across = np.array((np.cos(bend), np.sin(bend)))
    a, b = np.array(start), np.array(end)
    wood.append(
        (
            np.array([a - across * thick, b - across * thick * 0.66, b + across * thick * 0.66, a + across * thick]),
            thick,
        )
    )
    if depth <= 2:
        tufts.append((*end, long * float(rng.uniform(0.75, 1.15))))
    if depth == 0:
        return
    count = 3 if rng.random() < 0.45 else 2
    spread = float(rng.uniform(0.38, 0.62))
    for n in range(count):
        turn = (n / (count - 1) - 0.5) * 2 * spread + float(rng.normal(0, 0.12))
        # Limbs lean out, and up again where they hang.
        lean = bend * 0.82 + turn
        _fork(rng, end, lean, long * float(rng.uniform(0.66, 0.84)), thick * 0.62, depth - 1, wood, tufts)


def broadleaf(rng: np.random.Generator, tall: int, *, bare: bool = False, flat: bool = False) -> Tree:
    """One tree, drawn in a square of `tall` pixels; `flat` spreads its crown like an acacia's."""
    scale = tall / TALL
    wood: list[tuple[NDArray[np.float64], float]] = []
    tufts: list[Tuft] = []
    if flat:
        for angle in (-0.55, -0.2, 0.25, 0.6):
            _fork(rng, (WIDE / 2, TALL - 190), angle, 112, 7, 3, wood, tufts)
        trunk = np.array(
            [(WIDE / 2 - 15, TALL), (WIDE / 2 - 8, TALL - 200), (WIDE / 2 + 8, TALL - 200), (WIDE / 2 + 15, TALL)]
        )
        wood.append((trunk, 14.0))
        tufts = [(x, 330 + (y - 330) * 0.30 - 30, size * 0.75) for x, y, size in tufts]
    else:
        long = float(rng.uniform(112, 128))
        for angle, up, share in (
            (-0.95, 118, 0.82),
            (-0.45, 135, 1.0),
            (0.05, 138, 1.02),
            (0.50, 132, 1.0),
            (1.0, 120, 0.80),
        ):
            start = (WIDE / 2 + 12 * float(np.sign(angle)), TALL - up)
            _fork(rng, start, angle + float(rng.normal(0, 0.08)), long * share, 13, 3, wood, tufts)
        foot = np.array([(WIDE / 2 - 34, TALL), (WIDE / 2 - 21, TALL - 60), (WIDE / 2 - 17, TALL - 140),
                         (WIDE / 2 + 17, TALL - 140), (WIDE / 2 + 21, TALL - 60), (WIDE / 2 + 34, TALL)])  # fmt: skip
        wood.append((foot, 24.0))
    planes = _planes(tall)
    _wood(planes, wood, scale)
    if not bare:
        _leaves(rng, planes, tufts, scale)
    return _finished(planes)


def palm(rng: np.random.Generator, tall: int) -> Tree:
    """A coconut palm: a bowed trunk and a crown of long drooping fronds."""
    scale = tall / TALL
    planes = _planes(tall)
    shade, _, alpha = planes
    lean = float(rng.choice([-1, 1]) * rng.uniform(40, 130))
    t = np.linspace(0, 1, 24)
    x, y = WIDE / 2 - lean * 0.5 + lean * t**1.6, TALL - 430 * t
    half = 13 - 6 * t + 5 * np.exp(-t * 12)
    sides = np.concatenate([np.stack([x - half, y], 1), np.stack([x + half, y], 1)[::-1]])
    filled(alpha, sides, 255, scale)
    filled(shade, sides, 130, scale)
    for n in range(23):
        ring = np.round(np.array([(x[n] - half[n], y[n]), (x[n] + half[n], y[n] - 2)]) * 16 * scale).astype(np.int32)
        strokes(shade, [ring], (70,), max(1, int(2 * scale)))
    top = (float(x[-1]), float(y[-1]))
    for angle in np.concatenate([np.linspace(-2.3, 2.3, 13), rng.uniform(-1.6, 1.6, 5)]):
        _frond(rng, planes, top, float(angle + rng.normal(0, 0.08)), float(rng.uniform(165, 215)), scale)
    return _finished(planes)


def _frond(rng: np.random.Generator, planes: Canvases, top: tuple[float, float], angle: float, long: float,
           scale: float) -> None:  # fmt: skip
    shade, mark, alpha = planes
    t = np.linspace(0, 1, 34)
    droop = 0.55 + 0.25 * abs(angle)
    x = top[0] + long * t * np.sin(angle * (1 + 0.25 * t))
    y = top[1] - long * t * np.cos(angle) * 0.75 + droop * long * 0.62 * t**2.2
    tone = int(np.clip(150 - 50 * abs(angle) + rng.normal(0, 20), 40, 230))
    thick = max(1, round(2.2 * scale))
    for side in (-1, 1):
        blade = 50 * np.sin(np.pi * np.clip(t * 0.92 + 0.06, 0, 1)) ** 0.6
        tips = np.stack(
            [x + 0.55 * blade * np.sign(np.sin(angle) + 1e-3) * t + side * 0.25 * blade, y + blade * 0.85], axis=1
        )
        lines = np.round(np.stack([np.stack([x, y], axis=1), tips], axis=1) * 16 * scale).astype(np.int32)
        strokes(alpha, list(lines), (255,), thick)
        strokes(mark, list(lines), (255,), thick)
        strokes(shade, list(lines), (max(tone + 18 * side, 10),), thick)
    spine = np.round(np.stack([x, y], axis=1) * 16 * scale).astype(np.int32)
    strokes(alpha, [spine], (255,), thick)
    strokes(shade, [spine], (min(tone + 40, 255),), thick)


def _planes(tall: int) -> Canvases:
    return tuple(np.zeros((tall, int(WIDE * tall / TALL)), np.uint8) for _ in range(3))  # pyright: ignore[reportReturnType]


def _wood(planes: Canvases, wood: list[tuple[NDArray[np.float64], float]], scale: float) -> None:
    shade, snow, alpha = planes
    for outline, thick in wood:
        filled(alpha, outline, 255, scale)
        filled(shade, outline, 60, scale)
        lit = outline.copy()
        lit[:, 0] = outline[:, 0].mean() + (outline[:, 0] - outline[:, 0].mean()) * 0.4 - 0.3 * thick
        filled(shade, lit, 120, scale)
        filled(snow, outline, 0, scale)


def _leaves(rng: np.random.Generator, planes: Canvases, tufts: list[Tuft], scale: float) -> None:
    """Short strokes around every tuft's middle, dark and low ones first, light and high ones last."""
    shade, mark, alpha = planes
    places = np.array(tufts)
    middle, spread = places[:, :2].mean(axis=0), places[:, :2].std(axis=0) + 1
    each = int(np.clip(26000 * min(scale, 1.2) / len(tufts), 12, 420))
    x, y, size = (np.repeat(places[:, n], each) for n in range(3))
    radius = np.sqrt(rng.random(x.size)) * size * 0.86
    angle = rng.uniform(0, 2 * np.pi, x.size)
    dx, dy = radius * np.cos(angle), radius * np.sin(angle) * 0.72
    up = -dy / (size * 0.45)
    crown = (middle[1] - y) / spread[1] * 0.30 + np.abs(x - middle[0]) / spread[0] * 0.06
    tone = np.clip(0.42 + 0.30 * up + crown + rng.normal(0, 0.13, x.size), 0.04, 1.0)
    leaf = rng.uniform(4.0, 8.5, x.size)
    way = rng.uniform(0, 2 * np.pi, x.size)
    starts = np.stack([x + dx, y + dy], axis=1)
    ends = starts + np.stack([leaf * np.cos(way), leaf * np.sin(way) * 0.8], axis=1)
    lines = np.round(np.stack([starts, ends], axis=1) * 16 * scale).astype(np.int32)
    thick = max(1, round(4.2 * scale))
    strokes(alpha, list(lines), (255,), thick)
    strokes(mark, list(lines), (255,), thick)
    steps = 12
    for n in range(steps):
        pick = (tone >= n / steps) & (tone < (n + 1) / steps + (n == steps - 1))
        strokes(shade, list(lines[pick]), (int(20 + 225 * (n + 0.5) / steps),), thick)


def _finished(planes: Canvases) -> Tree:
    shade, mark, alpha = (single(plane / np.float32(255)) for plane in planes)
    return Tree.of(blurred(shade, 0.6), mark, alpha)


Grower = Callable[[np.random.Generator, int], Tree]
