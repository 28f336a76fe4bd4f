"""House fronts: walls with windows, shops and signs, drawn as flat pictures for streets and skylines."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb, array
from rushes.engines.animatic.painter.raster import Field
from rushes.engines.animatic.painter.stage import Stage

NEON: tuple[Rgb, ...] = (
    (1.0, 0.06, 0.42), (0.04, 0.62, 1.0), (0.55, 0.10, 1.0), (1.0, 0.30, 0.05), (0.05, 0.95, 0.55), (1.0, 0.72, 0.20),
)  # fmt: skip
WARM: tuple[Rgb, ...] = ((1.0, 0.62, 0.28), (1.0, 0.74, 0.45), (0.85, 0.80, 0.72), (0.55, 0.72, 1.0))


def _lamp(rng: np.random.Generator, neon: bool) -> Field:
    """The colour of one lit window."""
    if neon and rng.random() < 0.30:
        return array(NEON[int(rng.integers(len(NEON)))]) * np.float32(0.75)
    return array(WARM[int(rng.integers(len(WARM)))])


def lit_share(stage: Stage) -> float:
    """How many windows are lit at this time of day."""
    return {"night": 0.46, "neon": 0.46, "sunset": 0.36, "dawn": 0.14, "overcast": 0.10}.get(stage.reading.time, 0.03)


def lamp_power(stage: Stage) -> float:
    """How bright a lit window is against the rest of the picture."""
    return {"night": 2.6, "neon": 1.2, "sunset": 1.9, "dawn": 0.6}.get(stage.reading.time, 0.5)


def house(stage: Stage, rng: np.random.Generator, width: int, height: int, cell: tuple[int, int], side: float) -> Field:
    """A house front, scene-linear RGB (height, width, 3); `cell` is a window's pitch, `side` its share of sunlight."""
    light = stage.light
    tone = np.float32(rng.uniform(0.07, 0.20))
    tint = array((1.0, float(rng.uniform(0.85, 1.0)), float(rng.uniform(0.72, 1.08))))
    wall = tone * tint * (array(light.fill) * 1.15 + array(light.key) * np.float32(0.15 + 0.75 * side))
    rgb = np.empty((height, width, 3), np.float32)
    rgb[:] = wall
    rgb *= (1 - 0.25 * np.linspace(0, 1, height, dtype=np.float32))[:, None, None]
    pitch_x, pitch_y = cell
    glass_w, glass_h = max(1, int(pitch_x * rng.uniform(0.45, 0.72))), max(1, int(pitch_y * rng.uniform(0.42, 0.66)))
    sky = (array(light.middle) * 0.30 + array(light.horizon) * 0.10) * np.float32(0.35 + 0.65 * side)
    neon = stage.reading.time == "neon"
    share, power = lit_share(stage) * rng.uniform(0.4, 1.4), lamp_power(stage)
    for top in range(pitch_y // 2, height - glass_h, pitch_y):
        floor_lit = share * rng.uniform(0.3, 1.5)
        for left in range((pitch_x - glass_w) // 2 + 1, width - glass_w, pitch_x):
            pane = rgb[top : top + glass_h, left : left + glass_w]
            if rng.random() < floor_lit:
                shade = np.linspace(1.0, 0.45, glass_h, dtype=np.float32)[:, None, None]
                pane[:] = _lamp(rng, neon) * np.float32(power * rng.uniform(0.25, 1.0)) * shade
            else:
                pane[:] = sky * np.float32(rng.uniform(0.5, 1.2)) + wall * 0.2
    return rgb


def tube_sign(rng: np.random.Generator, height: int, width: int, colour: Rgb) -> Field:
    """An invented sign: a frame of light and rows of strokes that stand for writing, without being any."""
    glow = np.zeros((height, width), np.float32)
    edge = max(1, min(height, width) // 14)
    glow[:edge] = glow[-edge:] = 0.9
    glow[:, :edge] = glow[:, -edge:] = 0.9
    tall = height > width
    cells = max(1, (height if tall else width) // max(min(height, width), 1))
    step = (height if tall else width) / cells
    for n in range(cells):
        for _ in range(5):
            long, thick = rng.uniform(0.25, 0.6), max(1, edge)
            a, b = rng.uniform(0.18, 0.82 - long * 0.6), rng.uniform(0.2, 0.8)
            along, across = (n + b) * step, a * (width if tall else height)
            reach = int(long * min(height, width))
            if tall:
                y, x = int(along), int(across)
            else:
                y, x = int(across), int(along)
            if rng.random() < 0.5:
                glow[y : y + thick, x : min(x + reach, width - edge)] = 1.0
            else:
                glow[y : min(y + reach, height - edge), x : x + thick] = 1.0
    back = array(colour) * 0.10
    return (back + glow[..., None] * (array(colour) * 2.2 + 0.25)).astype(np.float32)
