"""Puffs: the spheres that heaped clouds are built of, and how they are laid over one another."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.raster import Field

Puff = tuple[float, float, float, float]
"""Centre (x, y), radius, and how far the centre lies before the bank's plane; pixels."""


def separate(rng: np.random.Generator, size: float, base: float, width: float, share: float
            ) -> list[Puff]:  # fmt: skip
    """Spheres (x, y, radius, nearness) of separate clouds along the whole width."""
    puffs: list[Puff] = []
    x = -0.6 * size * float(rng.random())
    while x < width + 0.5 * size:
        wide = size * min(0.32 + 0.42 * float(rng.exponential()), 1.7)
        lift = size * float(rng.uniform(-0.16, 0.03))
        puffs += _cloud(rng, x + wide / 2, base + lift, wide, size)
        gap = size * 0.85 * (1 / max(share, 0.05) - 1)
        # Clouds come in groups: many short gaps, a few wide ones.
        x += wide * 0.86 + gap * min(float(rng.exponential()), 2.6)
    return puffs


def _cloud(rng: np.random.Generator, middle: float, base: float, wide: float, size: float
           ) -> list[Puff]:  # fmt: skip
    """One cloud: columns of spheres from the base up to a skyline of a few humps, smaller heads on their outside."""
    tall = min(wide * float(rng.uniform(0.24, 0.44)), 0.46 * size)
    humps = [(float(rng.uniform(-0.36, 0.36)), float(rng.uniform(0.09, 0.22)), float(rng.uniform(0.40, 1.0)))
             for _ in range(5)]  # fmt: skip
    puffs: list[Puff] = []
    columns = 11 + int(8 * wide / size)
    for across in np.linspace(-0.46, 0.46, columns) + rng.uniform(-0.03, 0.03, columns):
        skyline = max(high * np.exp(-(((across - at) / width) ** 2)) for at, width, high in humps)
        top = tall * float(skyline * 0.86 + 0.14) * (1 - (abs(across) / 0.56) ** 4)
        up = 0.0
        while up < top:
            radius = (0.5 * wide + 0.5 * min(wide, 0.7 * size)) * float(rng.uniform(0.055, 0.095))
            radius *= 0.75 + 0.6 * (1 - abs(across) * 2)
            radius = min(radius, max(top * 0.55, 0.03 * wide))
            x, y = middle + across * wide + float(rng.normal(0, 0.015)) * wide, base - min(up, top - radius * 0.6)
            near = radius * float(rng.uniform(0.2, 1.0))
            puffs.append((x, y, radius, near))
            for _ in range(4):
                angle = float(rng.normal(-np.pi / 2, 1.1))
                out = radius * float(rng.uniform(0.5, 0.95))
                small = radius * float(rng.uniform(0.30, 0.55))
                puffs.append((x + out * np.cos(angle), y + out * np.sin(angle), small, near + radius * 0.30))
            up += radius * 0.9
    return puffs


def closed(rng: np.random.Generator, size: float, base: float, width: float
         ) -> list[Puff]:  # fmt: skip
    """Spheres of a closed bank: ranks of heads, each lower and nearer than the one behind it."""
    puffs: list[Puff] = []
    swell = rng.uniform(0, 6.28, 3)
    for rank in range(6):
        x = -size * float(rng.random())
        while x < width + size:
            wave = np.sin(x / size * 0.9 + swell[0]) + 0.7 * np.sin(x / size * 2.1 + swell[1] + rank)
            radius = size * float(rng.uniform(0.11, 0.24)) * (1 + 0.22 * float(wave))
            up = size * (0.075 * float(wave) + float(rng.uniform(-0.03, 0.04))) - rank * 0.15 * size
            near = rank * 0.06 * size
            puffs.append((x, base - up, radius, near))
            for _ in range(5):
                angle = float(rng.normal(-np.pi / 2, 0.9))
                out = radius * float(rng.uniform(0.5, 0.9))
                small = radius * float(rng.uniform(0.25, 0.5))
                puffs.append((x + out * np.cos(angle), base - up + out * np.sin(angle), small, near + radius * 0.4))
            x += radius * float(rng.uniform(0.7, 1.3))
    return puffs


def add_sphere(heap: Field, x: float, y: float, radius: float, near: float) -> None:
    left, top = max(int(x - radius), 0), max(int(y - radius), 0)
    right, bottom = min(int(x + radius) + 2, heap.shape[1]), min(int(y + radius) + 2, heap.shape[0])
    if right <= left or bottom <= top:
        return
    across = np.arange(left, right, dtype=np.float32) - np.float32(x)
    down = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)
    dome = np.sqrt(np.maximum(np.float32(radius * radius) - across * across - down * down, 0))
    window = heap[top:bottom, left:right]
    np.maximum(window, (dome + np.float32(near)) * (dome > 0), out=window)
