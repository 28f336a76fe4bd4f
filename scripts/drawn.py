"""Frames as the animatic engine draws them, for the scripts that make pictures of models and of prompts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image
from rushes.engines.animatic.render import Render
from rushes.engines.engine import Plan

SIZE, FPS = (1280, 720), 24


class _Alone:
    """A Control that nobody listens to."""

    scratch = Path()
    remembered: str | None = None

    def progress(self, phase: str, done: float, total: float) -> None: ...
    def check(self) -> None: ...
    def remember(self, ref: str) -> None: ...


def frames(prompt: str, seed: int, seconds: int) -> Iterator[Image.Image]:
    """The frames of one video in RGB, each drawn when it is asked for."""
    count = seconds * FPS
    plan = Plan(
        model="drawn", kind="t2v", prompt=prompt, negative_prompt="", width=SIZE[0], height=SIZE[1], tier="720P",
        aspect="16:9", fps=FPS, num_frames=count, keep_frames=count, seconds=float(seconds), seed=seed,
    )  # fmt: skip
    for pixels in Render(plan, _Alone()):
        yield _picture(pixels)


def _picture(planes: NDArray[np.uint8]) -> Image.Image:
    """An I420 frame of BT.709 limited range as RGB."""
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    rgb = frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG)
    return rgb.to_image()
