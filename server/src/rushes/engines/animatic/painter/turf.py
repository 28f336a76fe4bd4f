"""Grass on near ground: blades drawn over a hill's own light and shade, and a fringe of them along its ridge."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.raster import Field, Floats, blurred, single, strokes
from rushes.engines.animatic.painter.stage import Stage

MIDDLE = 128
"""The code of a blade as bright as the ground."""


def grown(stage: Stage, rgb: Field, alpha: Field, ridge: Floats, tall: float, tag: str) -> tuple[Field, Field]:
    """The ground (h, w, 3) and its cover (h, w) with blades on them; `ridge` is the upper edge's row per column.

    `tall` is the height of the blades at the ridge in units; nearer rows have longer ones.
    """
    rng = stage.rng("turf " + tag)
    rows, columns = alpha.shape
    tone = np.full((rows, columns), MIDDLE, np.uint8)
    fringe = np.zeros((rows, columns), np.uint8)
    deep, size = 0.0, tall * stage.unit
    while deep < rows:
        _row(rng, (tone, fringe), ridge, deep, size)
        deep += 0.42 * size
        size *= 1.045
    index = np.clip(ridge.astype(int) + 2, 0, rows - 1)
    edge = blurred(rgb[index, np.arange(columns)][None], 3)[0]
    below = np.clip(np.arange(rows, dtype=np.float32)[:, None] - ridge[None, :] - 1, 0, 1)
    ground = edge[None] + (rgb - edge[None]) * below[..., None]
    gain = (tone / np.float32(MIDDLE)) ** 1.4
    cover = np.maximum(alpha, fringe / np.float32(255))
    return single(ground * gain[..., None]), single(cover)


def _row(rng: np.random.Generator, planes: tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], ...], ridge: Floats,
         deep: float, size: float) -> None:  # fmt: skip
    tone, fringe = planes
    columns = tone.shape[1]
    count = int(min(columns / max(size * 0.16, 0.9), 2400))
    x = rng.uniform(0, columns, count)
    y = ridge[np.clip(x.astype(int), 0, columns - 1)] + deep + rng.normal(0, 0.18 * size, count)
    long = size * rng.uniform(0.5, 1.2, count)
    lean = rng.normal(0.12, 0.28, count)
    lines = np.stack([np.stack([x, y + 0.3 * size], axis=1), np.stack([x + lean * long, y - long], axis=1)], axis=1)
    lines = np.round(lines * 16).astype(np.int32)
    thick = max(1, round(size * 0.055))
    shades = rng.integers(0, 5, count)
    for step in range(5):
        pick = list(lines[shades == step])
        if pick:
            strokes(tone, pick, (78 + 24 * step,), thick)
    if deep < 1.5 * size:
        strokes(fringe, list(lines), (255,), thick)
