"""The last passes over a whole frame: bloom and vignette."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import dither
from rushes.engines.animatic.painter.raster import (
    Plane,
    as_bytes,
    blended,
    blurred,
    product,
    resized,
    single,
    total_bytes,
)
from rushes.engines.animatic.painter.stage import Stage


class Vignette:
    """Darkens towards the corners, as lenses do; `strength` is the loss in the far corner."""

    def __init__(self, stage: Stage, strength: float = 0.30) -> None:
        x = np.linspace(-1, 1, stage.width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, stage.height, dtype=np.float32)[:, None]
        fall = np.clip((np.sqrt((x**2 + y**2) / 2) - 0.35) / 0.65, 0, 1) ** 2
        gain = 255 * (1 - strength * fall) + dither(stage.rng("vignette"), stage.height, stage.width, 0.6)
        self._gain: Plane = as_bytes(gain)

    def paint(self, canvas: Canvas, i: int) -> None:
        canvas.y[:] = product(canvas.y, self._gain)


class Bloom:
    """Light that spreads around bright things, as in a lens on a wet night."""

    def __init__(self, strength: float = 0.55, floor: float = 105) -> None:
        self._strength = strength
        self._floor = floor

    def paint(self, canvas: Canvas, i: int) -> None:
        size = (canvas.width // 8, canvas.height // 8)
        if min(size) < 4:
            return
        small = resized(canvas.y, size, area=True).astype(np.float32)
        bright = np.maximum(small - np.float32(self._floor * 0.55), 0)
        glow = blurred(bright, size[1] * 0.02) + 0.8 * blurred(bright, size[1] * 0.07)
        glow *= np.float32(self._strength)
        whole = resized(single(glow), (canvas.width, canvas.height))
        canvas.y[:] = total_bytes(canvas.y, whole)
        half = (canvas.width // 2, canvas.height // 2)
        weight = bright + 2
        spread = blurred(weight, size[1] * 0.05)
        share = resized(single(np.clip(glow / 70, 0, 0.6)), half)
        for plane in (canvas.u, canvas.v):
            tint = resized(plane, size, area=True).astype(np.float32) - 128
            around = blurred(tint * weight, size[1] * 0.05) / spread
            plane[:] = blended(resized(as_bytes(around + 128), half), plane, share)
