"""The last passes over a whole frame: vignette."""

from __future__ import annotations

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Plane, as_bytes, dither
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
        cv2.multiply(canvas.y, self._gain, dst=canvas.y, scale=1 / 255)
