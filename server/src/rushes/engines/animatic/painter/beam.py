"""The turning light of a lighthouse: two beams that sweep through the air, and a flash when one meets the eye."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.raster import as_bytes, blurred, resized, single, total
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage

SMALL = 4


class Beam:
    """Drawn over the air; faint by day, strong in the dark, in rain and in fog."""

    def __init__(self, stage: Stage, spot: Spot, x: float, height: float) -> None:
        """The lamp is `height` metres above the spot's ground at column `x`."""
        self._stage, self._spot, self._x = stage, spot, x
        self._row = spot.ground(x) - height * spot.metre
        dark = {"night": 1.0, "neon": 0.9, "overcast": 0.50, "sunset": 0.5, "dawn": 0.4}.get(stage.reading.time, 0.12)
        self._power = dark * (1.3 if stage.reading.has("fog", "rain", "storm") else 1.0)
        self._start = float(stage.rng("beam").uniform(0.3, 0.9))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        x, y, s = self._spot.seen(stage, self._x, self._row, i)
        rows, cols = -(-canvas.height // SMALL), -(-canvas.width // SMALL)
        dx = (np.arange(cols, dtype=np.float32) * SMALL - np.float32(x))[None, :]
        dy = (np.arange(rows, dtype=np.float32) * SMALL - np.float32(y))[:, None]
        light = np.zeros((rows, cols), np.float32)
        angle = self._start + 2 * np.pi * stage.seconds(i) / 6.5
        metre = self._spot.metre * s
        for turn in (0.0, np.pi):
            across, toward = float(np.sin(angle + turn)), float(np.cos(angle + turn))
            reach = abs(across) * 1.1 * stage.unit + 1
            along = dx * np.float32(np.sign(across) or 1.0)
            wide = 1.6 * metre + 0.075 * along * (1.0 + 0.8 * max(toward, 0))
            core = np.exp(-((dy + 0.02 * along) ** 2) / np.maximum(wide, 1) ** 2)
            light += core * (along > -metre) * np.exp(-np.maximum(along, 0) / reach) * (0.55 + 0.65 * max(toward, 0))
            glare = max(toward, 0) ** 12
            light += (0.30 + 1.3 * glare) * np.exp(-np.hypot(dx, dy) / ((2.4 + 10 * glare) * metre))
        soft = blurred(single(light * np.float32(62 * self._power)), 1.0)
        canvas.y[:] = total(
            canvas.y, as_bytes(resized(soft, (cols * SMALL, rows * SMALL))[: canvas.height, : canvas.width])
        )
