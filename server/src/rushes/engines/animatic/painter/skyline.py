"""A skyline: rows of towers with windows, hazier with distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.colour import array
from rushes.engines.animatic.painter.facade import house
from rushes.engines.animatic.painter.layers import Layer, make_layer, margins
from rushes.engines.animatic.painter.noise import smoothstep
from rushes.engines.animatic.painter.stage import Stage


@dataclass(frozen=True, slots=True)
class Block:
    """One row of towers; sizes in units."""

    base: float
    low: float
    high: float
    wide: float
    k: float
    haze: float


def towers(stage: Stage, block: Block, tag: str) -> Layer:
    """A row of towers as a layer; taller towards the middle, as city centres are."""
    rng = stage.rng("towers " + tag)
    side, above = margins(stage, block.k)
    width = stage.width + 2 * side
    foot = stage.horizon + block.base * stage.unit
    top = int(max(foot - 1.25 * block.high * stage.unit, -above)) & ~1
    bottom = min(stage.height + above, int(foot + 0.2 * stage.unit))
    height = max(8, (bottom - top + 1) & ~1)
    rgb = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    ground = int(foot - top)
    x = -int(rng.uniform(0, block.wide * stage.unit))
    sunny = stage.sun_x > stage.width / 2
    while x < width:
        broad = int(block.wide * stage.unit * rng.uniform(0.5, 1.35)) + 4
        middle = np.exp(-((((x + broad / 2) / width - 0.5) / 0.33) ** 2))
        tall = block.low + (block.high - block.low) * rng.random() ** 1.6 * (0.35 + 0.65 * middle)
        rows = min(int(tall * stage.unit), ground)
        cell = (
            max(3, int(0.0085 * stage.unit * (0.6 + block.k * 2))),
            max(4, int(0.0115 * stage.unit * (0.6 + block.k * 2))),
        )
        front = house(stage, rng, broad, max(rows, 4), cell, 0.55)
        edge = int(broad * 0.28)
        if sunny:
            front[:, :-edge] *= 0.55
        else:
            front[:, edge:] *= 0.55
        x0, x1 = max(x, 0), min(x + broad, width)
        if x1 > x0 and rows > 3:
            rgb[ground - rows : ground, x0:x1] = front[:rows, x0 - x : x1 - x]
            alpha[ground - rows : ground, x0:x1] = 1
            if rng.random() < 0.25:
                spire = min(int(0.16 * rows), ground - rows)
                at = min(max(x + broad // 2, 0), width - 2)
                rgb[ground - rows - spire : ground - rows, at : at + 2] = array(stage.light.fill) * 0.2
                alpha[ground - rows - spire : ground - rows, at : at + 2] = 1
        x += broad + int(rng.uniform(-0.2, 0.35) * broad)
    shore = array(stage.light.fill) * 0.12
    rgb[ground:] = shore
    alpha[ground - 3 :] = 1
    down = np.arange(height, dtype=np.float32)[:, None]
    amount = block.haze + (1 - block.haze) * 0.30 * smoothstep(ground - 0.22 * stage.unit, float(ground), down)
    rgb += (array(stage.light.haze) - rgb) * amount[..., None]
    return make_layer(stage, rgb, alpha, block.k, -side, top, "towers " + tag)
