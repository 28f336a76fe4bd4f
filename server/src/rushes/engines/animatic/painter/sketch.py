"""Buildings and other still things, drawn once in metres and kept as a layer of the scene."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb, array
from rushes.engines.animatic.painter.figure import Points
from rushes.engines.animatic.painter.layers import Layer, make_layer
from rushes.engines.animatic.painter.raster import Field, Floats, filled, resized, single
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage

Corners = tuple[tuple[float, float], ...]


class Sketch:
    """A drawing `wide` by `tall` metres; x from its middle to the right, y up from the ground.

    It is held at twice its size, so that edges come out soft.
    """

    def __init__(self, stage: Stage, spot: Spot, wide: float, tall: float, below: float = 0.0) -> None:
        """`below` are metres of it under the ground, as foundations on a slope are."""
        self._stage, self._spot = stage, spot
        self._fine = 2 if max(wide, tall) * spot.metre < 900 else 1
        self._metre = spot.metre * self._fine
        self._half = wide / 2
        self.middle = 0.0
        """Metres that everything is drawn to the right of where it says."""
        self._tall, self._below = tall, below
        columns = 2 * self._fine * int(wide * spot.metre / 2 + 4)
        rows = 2 * self._fine * int((tall + below) * spot.metre / 2 + 4)
        self._rgb: Field = np.zeros((rows, columns, 3), np.float32)
        self._alpha: Field = np.zeros((rows, columns), np.float32)

    def lay(self, outline: Corners | Points, albedo: Rgb, facing: float = 0.0) -> None:
        """A surface of this colour; `facing` is how far it turns to the right, -1 to 1."""
        self._paint(outline, array(albedo) * self.light(facing))

    def glow(self, outline: Corners | Points, rgb: Rgb, power: float = 1.0) -> None:
        """A surface that shines by itself."""
        self._paint(outline, array(rgb) * np.float32(power))

    def light(self, facing: float) -> Field:
        """The light on a wall that turns this far to the right."""
        light = self._stage.light
        side = 1.0 if self._stage.sun_x > self._stage.width / 2 else -1.0
        # A low sun stands behind the scene: walls towards us get little of it.
        most = 0.62 if light.sun_height < 0.2 and light.glow > 0.5 else 0.85
        sunlit = np.float32(np.clip(0.26 + most * 0.8 * facing * side, 0.04, 1.0))
        return single(array(light.fill) * 1.1 + array(light.key) * sunlit * 0.8)

    def drum(self, low: tuple[float, float], high: tuple[float, float], albedo: Rgb, parts: int = 9) -> None:
        """A round wall between two (half width, height) pairs, shaded from side to side."""
        for n in range(parts):
            a, b = (np.sin((m / parts - 0.5) * np.pi) for m in (n, n + 1))
            middle = float(np.sin(((n + 0.5) / parts - 0.5) * np.pi))
            spread = 0.02 * low[0]
            self.lay(((low[0] * a - spread, low[1]), (low[0] * b + spread, low[1]), (high[0] * b + spread, high[1]),
                      (high[0] * a - spread, high[1])), albedo, middle)  # fmt: skip

    def shade_rows(self, gain: Floats) -> None:
        """Darken or brighten by rows, top to bottom (any number of values)."""
        column = np.interp(np.linspace(0, 1, self._rgb.shape[0]), np.linspace(0, 1, len(gain)), gain)
        self._rgb *= single(column)[:, None, None]

    def _paint(self, outline: Corners | Points, colour: Field) -> None:
        points = np.array(outline, np.float64)
        pixels = np.stack(
            [(points[:, 0] + self.middle + self._half) * self._metre + 4, self._row(points[:, 1])], axis=1
        )
        low, high = np.floor(pixels.min(axis=0)).astype(int) - 2, np.ceil(pixels.max(axis=0)).astype(int) + 3
        x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        x1, y1 = min(int(high[0]), self._alpha.shape[1]), min(int(high[1]), self._alpha.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        filled(mask, pixels - (x0, y0), 255)
        share = single(mask / np.float32(255))
        window = np.s_[y0:y1, x0:x1]
        self._rgb[window] += (colour - self._rgb[window]) * share[..., None]
        self._alpha[window] += (1 - self._alpha[window]) * share

    def open_arch(self, left: float, right: float, foot: float, top: float) -> None:
        """Cut an arch out of what has been drawn."""
        middle, half = (left + right) / 2, (right - left) / 2
        bow = [
            (middle + half * float(np.cos(a)), top - half + half * float(np.sin(a))) for a in np.linspace(0, np.pi, 24)
        ]
        points = np.array([(right, foot), *bow, (left, foot)])
        pixels = np.stack([(points[:, 0] + self._half) * self._metre + 4, self._row(points[:, 1])], axis=1)
        mask = np.zeros(self._alpha.shape, np.uint8)
        filled(mask, pixels, 255)
        keep = 1 - mask / np.float32(255)
        self._alpha *= keep
        self._rgb *= keep[..., None]

    def _row(self, y: Points) -> Points:
        return (self._tall - y) * self._metre + 4

    def layer(self, x: float, tag: str, row: float | None = None) -> Layer:
        """The drawing as a layer whose middle stands at a column of the spot's ground (or on `row`), hazed."""
        spot, fine = self._spot, self._fine
        size = (self._rgb.shape[1] // fine, self._rgb.shape[0] // fine)
        rgb, alpha = (resized(part, size, area=True) for part in (self._rgb, self._alpha))
        # Colours at soft edges are mixed with nothing.
        rgb = rgb / np.maximum(alpha, 0.02)[..., None]
        rgb += (array(self._stage.light.haze) - rgb) * np.float32(spot.haze)
        ground = spot.ground(x) if row is None else row
        top = round(ground - (self._row(np.zeros(1))[0]) / fine)
        return make_layer(self._stage, single(rgb), alpha, spot.k, round(x - size[0] / 2), top, tag)
