"""Hot-air balloons: striped, lit by the sun, rising and drifting at several distances."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array
from rushes.engines.animatic.painter.noise import smoothstep
from rushes.engines.animatic.painter.raster import Field, single
from rushes.engines.animatic.painter.sprite import Sprite, make_sprite, place, turned
from rushes.engines.animatic.painter.stage import Stage

SIZE = 400
"""Rows of the drawing; a balloon with its basket is as high."""
CLOTHS: tuple[tuple[Rgb, Rgb, Rgb], ...] = (
    ((0.62, 0.05, 0.03), (0.85, 0.50, 0.06), (0.90, 0.84, 0.72)), ((0.04, 0.16, 0.48), (0.85, 0.82, 0.76),
        (0.70, 0.08, 0.05)),
    ((0.85, 0.34, 0.03), (0.36, 0.05, 0.20), (0.92, 0.66, 0.14)), ((0.03, 0.30, 0.26), (0.88, 0.78, 0.50),
        (0.05, 0.10, 0.26)),
    ((0.48, 0.06, 0.28), (0.92, 0.55, 0.36), (0.30, 0.10, 0.42)),
)  # fmt: skip


def _profile(y: Field) -> Field:
    """Half width of the envelope at heights 0 (mouth) to 1 (crown)."""
    angle = np.clip((y - 0.40) / 0.60, -1, 1)
    dome = np.sqrt(np.clip(1 - angle**2, 0, 1))
    skirt = 0.16 + 0.84 * np.sin(np.pi / 2 * np.clip(y / 0.40, 0, 1)) ** 0.9
    return single(0.40 * np.where(y > 0.40, dome, np.minimum(skirt, 1.0)))


def _balloon(stage: Stage, haze: float, cloth: tuple[Rgb, Rgb, Rgb], style: int) -> Sprite:
    light = stage.light
    rows = (1 - (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE)[:, None]
    cols = ((np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE - 0.5)[None, :]
    y = np.clip((rows - 0.19) / 0.80, 0, 1)
    half = np.maximum(_profile(single(y)), 1e-3)
    inside = smoothstep(0.004, -0.004, np.abs(cols) - half) * ((rows > 0.19) & (rows < 0.99))
    across = np.clip(cols / half, -1, 1)
    around = np.arcsin(across)
    gore = np.floor(around / np.pi * 12 + 0.5 * style).astype(int)
    band = np.floor(y * 5 + (around / np.pi * 2 if style == 2 else 0)).astype(int)
    pick = (gore % 2 + (band % 5 == 3)) if style == 0 else (band % 3 + 0 * gore) if style == 1 else (gore + band) % 3
    colours = np.stack([array(c) for c in cloth])
    albedo = colours[np.broadcast_to(pick, inside.shape) % 3]
    seams = 1 - 0.18 * np.exp(-(((((around / np.pi * 12) % 1) - 0.5) / 0.10) ** 2) * 0.5) * 0
    crease = 0.90 + 0.10 * np.abs(np.cos(around * 12))
    side = 1.0 if stage.sun_x > stage.width / 2 else -1.0
    low = light.sun_height < 0.2
    up = 0.25 if low else 0.75
    facing = np.clip(0.32 + 0.62 * side * across + up * 0.5 * (y - 0.45), 0.03, 1.15)
    through = 0.16 if low else 0.05
    shine = array(light.fill) * 1.2 + array(light.key) * (facing * crease * seams * 0.85 + through)[..., None]
    rgb = albedo * shine
    alpha = inside.copy()
    basket = (np.abs(cols) < 0.050) & (rows > 0.0) & (rows < 0.075)
    ropes = (np.abs(np.abs(cols) - (0.045 + 0.020 * (rows - 0.07) / 0.12)) < 0.004) & (rows >= 0.07) & (rows < 0.20)
    wood = array((0.13, 0.075, 0.035)) * (array(light.fill) + array(light.key) * 0.35)
    for mask in (basket, ropes):
        rgb[mask] = wood
        alpha[mask] = 1.0
    flame = np.exp(-((cols / 0.012) ** 2) - (((rows - 0.165) / 0.03) ** 2))
    rgb = rgb + array((1.6, 0.7, 0.18)) * flame[..., None] * (0.8 if light.sun_height < 0.2 else 0.4)
    alpha = np.maximum(alpha, np.clip(flame, 0, 1))
    rgb += (array(light.haze) - rgb) * np.float32(haze)
    return make_sprite(single(rgb), single(alpha))


class Balloons:
    """Three to seven balloons, the nearest well above the horizon."""

    def __init__(self, stage: Stage, count: int) -> None:
        self._stage = stage
        rng = stage.rng("balloons")
        number = 1 if count == 1 else int(rng.integers(5, 8))
        # One is near, the others farther and farther.
        most = min(0.46, 0.74 * stage.horizon / stage.unit)
        sizes = np.sort(most * 0.62 ** (np.arange(number) * float(rng.uniform(0.8, 1.0))))
        slots = rng.permutation(number)
        self._flock: list[tuple[Sprite, float, float, float, float, float]] = []
        cloths = rng.permutation(len(CLOTHS))
        for n, size in enumerate(sizes):
            near = float(size / most)
            last = n == number - 1
            x = stage.focus if last else (slots[n] + float(rng.uniform(0.2, 0.8))) / number
            # The basket's height over the horizon, as a share of the sky; the near one leaves room for its crown.
            room = stage.horizon / stage.unit
            top = max(room - size * 0.98, 0.12 * room)
            high = float(rng.uniform(0.55, 0.95)) * top if last else float(rng.uniform(0.06, 0.85)) * top
            cloth = CLOTHS[int(cloths[n % len(CLOTHS)])]
            sprite = _balloon(stage, 0.62 * (1 - near) ** 1.3, cloth, int(rng.integers(3)))
            self._flock.append((sprite, float(x), high, float(size), 0.10 + 0.75 * near, float(rng.uniform(0, 6.28))))
        self._wind = 0.012 * (1 if rng.random() < 0.5 else -1)

    def paint(self, canvas: Canvas, i: int) -> None:
        stage, path = self._stage, self._stage.path
        t = stage.seconds(i) * min(stage.tempo, 3)
        half = stage.seconds(stage.count) / 2
        for sprite, x0, high, size, k, phase in self._flock:
            s = 1 + float(path.zoom[i]) * k
            middle = stage.width / 2
            x = x0 * stage.width + self._wind * (0.3 + k) * (t - half) * stage.unit
            x = middle + s * (x - middle) + float(path.x[i]) * k * stage.width
            rise = high + 0.010 * k * (t - half) + 0.004 * np.sin(0.8 * t + phase)
            y = stage.horizon - s * rise * stage.unit + float(path.y[i]) * k * stage.height
            lean = 0.025 * float(np.sin(0.5 * t + phase))
            matrix = turned(size * s * stage.unit / SIZE, lean, (SIZE / 2, SIZE), (float(x), float(y)))
            place(canvas, sprite, matrix)
