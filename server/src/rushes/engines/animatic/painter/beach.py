"""A beach: sand from the water's edge to the bottom of the frame, and the last of each wave running up and back."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import array, mix, scaled, yuv
from rushes.engines.animatic.painter.layers import Layer, LayerPass, make_layer, margins
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import (
    Field,
    Floats,
    as_bytes,
    graded,
    inverted,
    product,
    resized,
    single,
    total,
)
from rushes.engines.animatic.painter.stage import Stage

NEARNESS = 0.8


class Beach:
    """Sand below a line that runs slightly aslant; `edge` is where it meets the water, in units below the horizon."""

    def __init__(self, stage: Stage, edge: float) -> None:
        self._stage = stage
        rng = stage.rng("beach")
        self._edge = stage.horizon + edge * stage.unit
        self._slant = float(rng.uniform(0.02, 0.05)) * (1 if rng.random() < 0.5 else -1)
        self._ragged = wrapped(spectral(rng, 256, 3.2, low=2, high=30))
        self._swell = wrapped(spectral(rng, 256, 3.6, low=1.5, high=9))
        self._small = 2 if stage.height < 900 else 4
        """The wash is worked out this much smaller than the frame."""
        self._pace = float(rng.uniform(0.9, 1.1))
        self._phase = float(rng.uniform(0, 1))
        self._layer = self._sand(rng)
        self._pass = LayerPass(stage, self._layer)
        light = stage.light
        lit = array(light.fill) * 0.75 + array(light.key) * 0.42
        self._film = yuv(mix(scaled(light.water, 1.5), mix(light.middle, light.horizon, 0.35), 0.50))
        self._foam = yuv((float(lit[0]), float(lit[1]), float(lit[2])))

    def covers_from(self) -> int:
        """The row from which on there is never anything but sand."""
        return self._pass.covers_from()

    def line(self, x: Floats) -> Floats:
        """Row of the water's edge at rest at these columns."""
        return self._edge + self._slant * (x - self._stage.width / 2)

    def _sand(self, rng: np.random.Generator) -> Layer:
        stage, light = self._stage, self._stage.light
        side, above = margins(stage, NEARNESS)
        width = stage.width + 2 * side
        top = int(self._edge - 0.06 * stage.unit - above) & ~1
        height = stage.height + above - top + 1 & ~1
        rows = np.arange(height, dtype=np.float32)[:, None] + top
        x = np.arange(width, dtype=np.float32)[None, :] - side
        wave = self._wave(x)
        depth = (rows - self.line(x) - wave * 0.010 * stage.unit) / stage.unit
        grain = spectral(rng, 512, 1.6, low=8)
        drifts = spectral(rng, 256, 3.0, low=3, high=40)
        near = np.maximum(depth / 0.35, 0.02)
        u, v = single((x - stage.width / 2) / (stage.unit * (0.35 + near))), single(np.log(0.08 + near) * 1.1 + 0 * x)
        texture = 0.09 * lookup(wrapped(grain), fraction(u * 2.3) * 512, fraction(v * 2.3) * 512)
        texture = texture + 0.10 * lookup(wrapped(drifts), fraction(u * 0.8) * 256, fraction(v * 1.4) * 256)
        wet = np.exp(-np.maximum(depth, 0) / 0.055)
        dry = array((0.40, 0.29, 0.17)) * (array(light.fill) * 1.2 + array(light.key) * 0.34) * (1 + texture)[..., None]
        # Wet sand is dark and mirrors the sky above the horizon.
        glow = np.exp(-np.abs(x - stage.sun_x) / (0.30 * stage.unit))[..., None]
        mirrored = (
            array(light.middle) * 0.30 + array(light.horizon) * 0.18 + array(light.sun) * (0.35 * light.glow) * glow
        )
        sand = dry * (1 - 0.55 * wet)[..., None] + mirrored * (0.85 * wet)[..., None]
        alpha = smoothstep(-0.004, 0.004, depth)
        return make_layer(stage, single(sand), single(alpha), NEARNESS, -side, top, "sand")

    def _wave(self, x: Floats) -> Floats:
        u = fraction(single(x / (1.7 * self._stage.unit) + 0.2))
        return lookup(self._swell, u * 256, np.full_like(u, 40.0))

    def paint(self, canvas: Canvas, i: int) -> None:
        self._pass.paint(canvas, i)
        self._wash(canvas, i)

    def _wash(self, canvas: Canvas, i: int) -> None:
        """Three lines of foam: one that runs up the sand and drains, one breaking, one farther out."""
        stage, path = self._stage, self._stage.path
        s = 1 + float(path.zoom[i]) * NEARNESS
        columns = np.arange(0, canvas.width, self._small, dtype=np.float32)[None, :]
        middle = stage.width / 2
        rest = single(middle + (columns - middle - float(path.x[i]) * NEARNESS * stage.width) / s)
        base = stage.horizon + s * (self.line(rest) - stage.horizon) + float(path.y[i]) * NEARNESS * stage.height
        first = int(max(float(base.min()) - 0.16 * stage.unit, stage.horizon)) & ~3
        last = int(min(float(base.max()) + 0.14 * stage.unit, canvas.height)) & ~3
        if last - first < 8:
            return
        rows = np.arange(first, last, self._small, dtype=np.float32)[:, None]
        unit = stage.unit * s
        cover = np.zeros((rows.shape[0], columns.shape[1]), np.float32)
        film = np.zeros_like(cover)
        t = stage.seconds(i) * stage.tempo * self._pace
        ragged = [lookup(self._swell, fraction(single(rest / (1.9 * stage.unit) + 0.37 * n)) * 256,
                         np.full_like(rest, 30.0 + 50 * n + 1.2 * t)) for n in range(3)]  # fmt: skip
        for n, period in enumerate((5.2, 6.1, 7.3)):
            part = (t / period + self._phase + 0.37 * n) % 1.0
            # In fast and slowing, out slower.
            run = np.sin(np.pi * min(part / 0.42, 1.0) / 2) if part < 0.42 else np.cos(np.pi * (part - 0.42) / 0.58 / 2)
            reach = (0.062 * run - 0.060 * n) * unit + ragged[n] * (0.020 - 0.004 * n) * unit
            front = rows - base - reach
            sharp = np.exp(-((front / (0.0042 * unit)) ** 2)) * (0.85 - 0.22 * n)
            lace = lookup(self._ragged, fraction(single(rest / (0.42 * stage.unit)) + 0 * rows) * 256,
                          fraction(single((rows - base) / (0.16 * unit)) + 0 * rest) * 256)  # fmt: skip
            tail = np.exp(np.minimum(front, 0) / (0.026 * unit)) * (front < 0) * smoothstep(-0.4, 1.4, lace)
            strength = float(run) if part < 0.42 else float(run) ** 0.6
            # Behind its front the last of the wave is a film that mirrors the sky.
            film = np.maximum(film, np.clip(-front / (0.006 * unit), 0, 1) * (0.72 + 0.2 * strength))
            cover = np.maximum(cover, (sharp + 0.62 * tail) * (0.35 + 0.65 * strength))
        film *= smoothstep(-0.045 * unit, -0.005 * unit, rows - base)
        self._lay(canvas, single(film), (first, last), self._film)
        self._lay(canvas, single(np.clip(cover, 0, 1)), (first, last), self._foam)

    @staticmethod
    def _lay(canvas: Canvas, cover: Field, rows: tuple[int, int], colour: tuple[float, float, float]) -> None:
        first, last = rows
        veil = as_bytes(cover * np.float32(230))
        for plane, n, step in ((canvas.y, 0, 1), (canvas.u, 1, 2), (canvas.v, 2, 2)):
            window = plane[first // step : last // step]
            share = resized(veil, (window.shape[1], window.shape[0]))
            window[:] = total(product(window, inverted(share)), graded(share, colour[n] / 255))
