"""Steam and smoke: soft puffs that leave a chimney, grow, rise and thin out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, mix, yuv
from rushes.engines.animatic.painter.raster import Field, resized, single
from rushes.engines.animatic.painter.stage import Stage

Mouth = Callable[[float], tuple[float, float, float]]
"""Column and row of a chimney's mouth and pixels per metre, at a moment in seconds."""
SMALL = 4
"""Smoke is worked out this much smaller than the frame."""


class Steam:
    """Puffs from one mouth, `rate` a second, each `life` seconds long."""

    def __init__(self, stage: Stage, mouth: Mouth, tag: str, *, rate: float, life: float, size: float, rise: float,
                 strength: float, white: float) -> None:  # fmt: skip
        """`size` is a puff's radius when it ends and `rise` its climb in metres per second; `white` 0 is dark smoke."""
        self._stage, self._mouth = stage, mouth
        rng = stage.rng("steam " + tag)
        self._rate, self._life, self._size, self._rise, self._strength = rate, life, size, rise, strength
        self._chance = rng.uniform(-1, 1, (4096, 3))
        self._wind = 0.5 * (1 if rng.random() < 0.5 else -1) * (3 if stage.reading.has("wind", "storm") else 1)
        light = stage.light
        lit: Rgb = mix(light.cloud, light.horizon, 0.25)
        self._colour = yuv(mix(light.shade, lit, white))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        now = stage.seconds(i)
        first = int(np.ceil((now - self._life) * self._rate))
        # Puffs that left before the clip began are already in the air.
        born = np.arange(first, int(now * self._rate) + 1)
        cover: Field = np.zeros((-(-canvas.height // SMALL), -(-canvas.width // SMALL)), np.float32)
        box = [cover.shape[1], cover.shape[0], 0, 0]
        for n in born:
            age = now - n / self._rate
            if 0 <= age <= self._life:
                self._puff(cover, int(n), age, now - age, box)
        self._lay(canvas, cover, box)

    def _puff(self, cover: Field, n: int, age: float, moment: float, box: list[int]) -> None:
        x, y, metre = self._mouth(moment)
        a, b, c = (float(value) for value in self._chance[n % len(self._chance)])
        part = age / self._life
        radius = max((0.22 + 0.78 * part**0.7) * self._size * (1 + 0.3 * a) * metre / SMALL, 0.7)
        x = (x + (self._wind * age + 0.5 * b * part * self._size) * metre) / SMALL
        y = (y - (self._rise * age * (1 - 0.35 * part) + 0.4 * c * part * self._size) * metre) / SMALL
        reach = int(radius * 2) + 2
        x0, x1 = max(int(x) - reach, 0), min(int(x) + reach + 1, cover.shape[1])
        y0, y1 = max(int(y) - reach, 0), min(int(y) + reach + 1, cover.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        dx = (np.arange(x0, x1, dtype=np.float32) - np.float32(x))[None, :]
        dy = (np.arange(y0, y1, dtype=np.float32) - np.float32(y))[:, None]
        puff = np.exp(-(dx * dx + dy * dy) / np.float32(radius * radius))
        strength = self._strength * (1 - part) ** 1.4 * min(age * 6, 1.0)
        window = cover[y0:y1, x0:x1]
        window += (1 - window) * puff * np.float32(strength)
        box[:] = [min(box[0], x0), min(box[1], y0), max(box[2], x1), max(box[3], y1)]

    def _lay(self, canvas: Canvas, cover: Field, box: list[int]) -> None:
        x0, y0, x1, y1 = box
        if x1 <= x0 or y1 <= y0:
            return
        right, low = min(x1 * SMALL, canvas.width), min(y1 * SMALL, canvas.height)
        cut = cover[y0:y1, x0:x1]
        for plane, colour, step in ((canvas.y, 0, SMALL), (canvas.u, 1, SMALL // 2), (canvas.v, 2, SMALL // 2)):
            share = resized(cut, ((x1 - x0) * step, (y1 - y0) * step))
            window = plane[y0 * step : low * step // SMALL, x0 * step : right * step // SMALL]
            share = share[: window.shape[0], : window.shape[1]]
            window[:] = single(window + (np.float32(self._colour[colour]) - window) * share).astype(np.uint8)
