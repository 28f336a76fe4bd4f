"""A prompt as a moving picture: set up once, then painted frame by frame."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.line import frames
from rushes.engines.animatic.painter.scenes import passes_for
from rushes.engines.animatic.painter.stage import stage_for


class Scene:
    """The scene a prompt asks for, `count` frames of an even `width` x `height` at `fps`.

    The same arguments give the same bytes. What the words do not name is not drawn (painter/words.py).
    """

    def __init__(self, prompt: str, width: int, height: int, count: int, fps: int, seed: int) -> None:
        self.stage = stage_for(prompt, width, height, count, fps, seed)
        self._canvas = Canvas(width, height)
        self._passes = passes_for(self.stage)

    def frames(self) -> Generator[NDArray[np.uint8], None, None]:
        """All frames in order, on two cores where there are two; the same bytes as of `frame`, once per scene."""
        return frames(self._passes, self.stage.width, self.stage.height, self.stage.count)

    def frame(self, i: int) -> NDArray[np.uint8]:
        """Frame `i` as I420 planes, BT.709 limited range, (height * 3 // 2, width); call once per i, ascending."""
        for part in self._passes:
            part.paint(self._canvas, i)
        return self._canvas.frame()
