"""Traffic in a street."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import array
from rushes.engines.animatic.painter.noise import smoothstep
from rushes.engines.animatic.painter.sprite import Sprite, make_sprite, place, turned
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.street import EYE, Street


class Traffic:
    """Cars as what one sees of them at night: white lights coming, red lights going, and their shine on the road."""

    METRE = 36
    """Pixels per metre in the drawing of a car's lights."""

    def __init__(self, stage: Stage, street: Street) -> None:
        self._stage = stage
        self._street = street
        rng = stage.rng("traffic")
        count = 8
        self._start = np.sort(rng.uniform(0, 1, (2, count)), axis=1) * 230
        self._pace = (float(rng.uniform(9, 13)), float(rng.uniform(7, 10)))
        self._lane = np.array([[-2.4], [2.4]]) + rng.normal(0, 0.2, (2, count))
        self._power = {"night": 1.0, "neon": 1.0, "sunset": 0.9}.get(stage.reading.time, 0.6)
        self._cars = tuple([_lights(self.METRE / 2**n, red) for n in range(4)] for red in (False, True))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        walked, middle = self._street.camera(i)
        focal = 0.98 * stage.unit
        t = stage.seconds(i) * min(stage.tempo, 3)
        for side, way in ((0, -1), (1, 1)):
            away = (self._start[side] + way * self._pace[side] * t - walked) % 230 + 7
            for n in np.argsort(-away):
                size = focal / float(away[n])
                fade = float(np.clip((236 - away[n]) / 50, 0, 1) * np.clip((away[n] - 7) / 5, 0, 1)) * self._power
                level = int(np.clip(np.log2(self.METRE / size), 0, 3))
                x = middle + float(self._lane[side][n]) * size
                scale = size / self.METRE * 2**level
                sprite = self._cars[side][level]
                height, width = sprite.pixels.shape[:2]
                place(
                    canvas,
                    sprite,
                    turned(scale, 0.0, (width / 2, height * 0.36), (x, stage.horizon + EYE * size)),
                    fade,
                )


def _lights(metre: float, red: bool) -> Sprite:
    """One car's two lamps with their glow and the streaks below them; the road is at 0.36 of the height."""
    height, width = int(6.0 * metre), int(5.0 * metre)
    y = (np.arange(height, dtype=np.float32)[:, None] - 0.36 * height) / np.float32(metre)
    x = (np.arange(width, dtype=np.float32)[None, :] - 0.5 * width) / np.float32(metre)
    glow = np.zeros((height, width), np.float32)
    core = np.zeros((height, width), np.float32)
    small = max(0.11, 0.55 / metre)
    for lamp in (-0.72, 0.72):
        far = np.hypot(x - lamp, (y + 0.78) * (1.5 if red else 1.0))
        core += np.exp(-((far / small) ** 2))
        glow += 0.42 * np.exp(-((far / 0.42) ** 2)) + 0.10 * np.exp(-((far / 1.0) ** 2))
        streak = np.exp(-(((x - lamp) / (0.14 + 0.05 * np.maximum(y, 0))) ** 2))
        glow += 0.5 * streak * np.exp(-np.maximum(y, 0) / 1.25) * smoothstep(0.0, 0.35, y)
    border = smoothstep(0, 0.5, np.minimum(2.5 - np.abs(x), np.minimum(y + 2.16, 3.84 - y)))
    alpha = np.clip((core + glow) * border, 0, 1)
    heart = np.clip(core, 0, 1)[..., None]
    tint = array((1.6, 0.05, 0.04)) if red else array((1.5, 1.25, 0.95))
    bright = array((3.0, 0.6, 0.4)) if red else array((4.0, 3.8, 3.4))
    return make_sprite((tint + (bright - tint) * heart).astype(np.float32), alpha.astype(np.float32))
