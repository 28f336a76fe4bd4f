"""A spot: where in a scene something stands, how large it is there, and where the camera carries it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.layers import Layer
from rushes.engines.animatic.painter.noise import smoothstep
from rushes.engines.animatic.painter.raster import Field, blurred, single
from rushes.engines.animatic.painter.stage import Stage


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the ground. Lengths are pixels of the frame at rest."""

    row: float
    """Row of the ground; where it follows a ridge, the ridge's usual row."""
    k: float
    """Nearness, as of layers."""
    metre: float
    """Pixels per metre."""
    haze: float = 0.0
    sunk: float = 0.0
    """Metres of grass or snow that hide the feet."""
    ridge: Field | None = None
    """Rows of a layer's upper edge by its columns; None on flat ground."""
    left: int = 0
    """The frame's column of the ridge's first value."""

    def ground(self, x: float) -> float:
        """Row of the ground at a column."""
        if self.ridge is None:
            return self.row
        at = min(max(int(x) - self.left, 0), len(self.ridge) - 1)
        return float(self.ridge[at])

    def slope(self, x: float, reach: float) -> float:
        """Radians by which the ground rises to the right around a column."""
        return float(np.arctan2(self.ground(x - reach) - self.ground(x + reach), 2 * reach))

    def seen(self, stage: Stage, x: float, row: float, i: int) -> tuple[float, float, float]:
        """Column, row and enlargement of a point at rest at frame `i`."""
        path = stage.path
        s = 1 + float(path.zoom[i]) * self.k
        middle = stage.width / 2
        across = middle + s * (x - middle) + float(path.x[i]) * self.k * stage.width
        return across, stage.horizon + s * (row - stage.horizon) + float(path.y[i]) * self.k * stage.height, s


def on_ridge(stage: Stage, layer: Layer, metre: float, haze: float, sunk: float = 0.0) -> Spot:
    """A spot along the upper edge of a layer; `metre` in units of the stage."""
    rows = np.argmax(layer.clear < 100, axis=0).astype(np.float32)[None, :]
    smooth = blurred(single(rows), max(0.25 * metre * stage.unit, 1.0))[0] + layer.top
    return Spot(float(np.median(smooth)), layer.k, metre * stage.unit, haze, sunk, single(smooth), layer.left)


def on_ground(stage: Stage, row: float, k: float, metre: float, haze: float, sunk: float = 0.0) -> Spot:
    """A spot on flat ground; `row` (below the horizon) and `metre` in units of the stage."""
    return Spot(stage.horizon + row * stage.unit, k, metre * stage.unit, haze, sunk)


def haze_at(row: float) -> float:
    """How much air lies before something on flat ground whose foot is `row` units below the horizon."""
    return float(0.45 * smoothstep(0.20, 0.0, np.full(1, row, np.float32))[0])
