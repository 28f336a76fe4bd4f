"""The canvas that passes paint on: planes of one frame, in the painter's Y, U, V."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.raster import Plane


class Canvas:
    """One frame: `y` (height, width), `u` and `v` half as large. Y is without its offset of 16 (see colour.py)."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.y: Plane = np.zeros((height, width), np.uint8)
        self.u: Plane = np.full((height // 2, width // 2), 128, np.uint8)
        self.v: Plane = np.full((height // 2, width // 2), 128, np.uint8)

    def frame(self) -> NDArray[np.uint8]:
        """A new array of the finished frame: I420, BT.709 limited range, shape (height * 3 // 2, width)."""
        height, width = self.height, self.width
        out = np.empty((height * 3 // 2, width), np.uint8)
        np.minimum(self.y, 219, out=self.y)
        np.add(self.y, 16, out=out[:height])
        flat = out.reshape(-1)
        quarter = (height // 2) * (width // 2)
        flat[height * width : height * width + quarter] = self.u.reshape(-1)
        flat[height * width + quarter :] = self.v.reshape(-1)
        return out


class Pass(Protocol):
    """One step of painting a frame, back to front."""

    def paint(self, canvas: Canvas, i: int) -> None:
        """Paint this part of frame `i`; called once per frame, ascending."""
        ...
