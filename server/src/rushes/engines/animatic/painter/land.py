"""Land: chains of hills, mountains and dunes, each a small height field seen in perspective, lit, and hazed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rushes.engines.animatic.painter.colour import array
from rushes.engines.animatic.painter.layers import Layer, make_layer, margins
from rushes.engines.animatic.painter.noise import lattice, sample, smoothstep
from rushes.engines.animatic.painter.raster import Field, Floats, blurred, resized, sampled
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.turf import grown

DEPTH = 0.9
"""How far a chain reaches into the picture, in units."""
BLOCK = 512
"""Columns of a chain that are resolved at a time, which bounds the memory of a wide one."""

Ground = Literal["rock", "dune", "grass", "wheat", "trees", "snow"]


@dataclass(frozen=True, slots=True)
class Range:
    """One chain of land. Heights and rows are counted in units of the stage."""

    ground: Ground
    base: float
    """Where its foot lies, below the horizon."""
    rise: float
    """How high it stands above its foot."""
    scale: float
    """Features per unit of width."""
    k: float
    haze: float
    """0 clear to 1 lost in the air."""
    mist: float = 0.0
    """Extra haze at its foot."""
    centre: float = 0.0
    """Where it is highest: -1 left to 1 right; 0 anywhere."""
    valley: float = 0.0
    """How much lower it is in the middle, 0..1."""
    snow: float = 2.0
    """Height above which snow lies, as a share of the rise; 2 for none."""
    roughness: float = 0.5
    tilt: float = 0.02
    """How much of its ground is seen from above: rows between its near and far end."""
    blades: float = 0.0
    """Height of the grass along its ridge; 0 for land too far away to show any."""
    shore: float = 0.0
    """For a bank: how far below `base` its water line lies on the side it leans to. Below that line is water."""


def tiles(rng: np.random.Generator) -> list[Field]:
    """Two independent one-octave tiles, enough for every chain of a scene."""
    return [lattice(rng, 512, 16), lattice(rng, 512, 16)]


def _ridged(tile: Field, u: Floats, v: Floats, octaves: int, roughness: float) -> Field:
    """Ridged multifractal, 0..1 or so (F. K. Musgrave, in Texturing and Modeling, 1994)."""
    total = np.zeros(u.shape, np.float32)
    weight = np.ones(u.shape, np.float32)
    gain, frequency = np.float32(1.0), np.float32(1.0)
    for n in range(octaves):
        noise = sample(tile, u * frequency + np.float32(0.37 * n), v * frequency + np.float32(0.71 * n))
        signal = (1 - np.minimum(np.abs(noise) * np.float32(0.9), 1)) ** np.float32(1.5)
        total += signal * weight * gain
        weight = np.clip(signal * np.float32(1.6), 0, 1)
        gain *= np.float32(roughness)
        frequency *= np.float32(2.07)
    return (total / np.float32(1.75)).astype(np.float32)


def _smooth(tile: Field, u: Floats, v: Floats, octaves: int, roughness: float) -> Field:
    """Fractional Brownian motion, about -1..1."""
    total = np.zeros(u.shape, np.float32)
    gain, frequency = np.float32(0.75), np.float32(1.0)
    for n in range(octaves):
        total += gain * sample(tile, u * frequency + np.float32(0.29 * n), v * frequency + np.float32(0.53 * n))
        gain *= np.float32(roughness)
        frequency *= np.float32(2.03)
    return total


def _dunes(tile: Field, other: Field, u: Floats, v: Floats) -> Field:
    """Crescent ridges: long windward slopes, sharp winding crests, 0..1."""
    bend = 0.55 * _smooth(other, u * 0.9, v * 0.9, 2, 0.45)
    phase = u * 9.0 + v * 30.0 + bend * 2.2
    saw = phase - np.floor(phase)
    rising, falling = saw / 0.72, (1 - saw) / 0.28
    # The smaller of the two, rounded where they meet: a knife edge would break into dots.
    ridge = 0.5 * (rising + falling - np.sqrt((rising - falling) ** 2 + 0.012))
    ridge = np.maximum(ridge, 0) ** 1.35
    size = np.clip(0.55 + 0.5 * sample(tile, u * 0.7, v * 0.7), 0.05, 1.2)
    return (ridge * size * 0.72 + 0.30 * bend + 0.18).astype(np.float32)


@dataclass(slots=True)
class _Relief:
    """A chain's height field on a grid of depth steps (0 nearest) by screen columns."""

    height: Field
    row: Field
    """Screen row of each point, counted from the layer's top."""
    lit: Field
    """Cosine to the sun, 0..1."""
    slope: Field
    u: Field
    v: Field


def _settled(rgb: Field, foot: Field) -> Field:
    """The picture with one even colour below the foot of the chain, where there is nothing to be seen of it."""
    rows = np.arange(rgb.shape[0], dtype=np.float32)[:, None]
    below = smoothstep(-6.0, 14.0, rows - blurred(foot[None, :], 12))
    index = np.clip(foot.astype(int) - 4, 0, rgb.shape[0] - 1)
    ground = rgb[index, np.arange(rgb.shape[1])]
    even = blurred(ground[None, :, :], rgb.shape[1] / 12)
    return (rgb + (even - rgb) * below[..., None]).astype(np.float32)


def _seen(row: Field, colours: Field, height: int) -> tuple[Field, Field]:
    """Some columns of a chain as they are seen, at twice the rows: colour and coverage."""
    steps, width = row.shape
    horizon_line = np.minimum.accumulate(row, axis=0)
    at = np.clip(np.ceil(horizon_line * 2), 0, 2 * height - 1).astype(np.int32)
    nearest = np.full((2 * height, width), steps, np.int16)
    columns = np.broadcast_to(np.arange(width, dtype=np.int32), (steps, width))
    order = np.broadcast_to(np.arange(steps, dtype=np.int16)[:, None], (steps, width))
    nearest[at[::-1].reshape(-1), columns.reshape(-1)] = order[::-1].reshape(-1)
    seen = np.minimum(np.minimum.accumulate(nearest, axis=0), steps - 1).astype(np.intp)
    here = np.take_along_axis(horizon_line, seen, axis=0) * 2
    before = np.take_along_axis(horizon_line, np.maximum(seen - 1, 0), axis=0) * 2
    rows = np.arange(2 * height, dtype=np.float32)[:, None]
    part = np.clip((rows - here) / np.maximum(before - here, 0.5), 0, 1)
    depth = np.maximum(seen - part, 0).astype(np.float32)
    x = np.ascontiguousarray(np.broadcast_to(np.arange(width, dtype=np.float32), depth.shape))
    painted = sampled(np.ascontiguousarray(colours), x, depth)
    return painted, np.clip(rows - horizon_line[-1] * 2 + 1, 0, 1).astype(np.float32)


class Land:
    """Builds the chains of one scene from shared noise."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tiles = tiles(stage.rng("land"))

    def layer(self, chain: Range, tag: str) -> Layer:
        """A chain as a layer, opaque from its ridge line down past the bottom of the frame's visible part."""
        stage = self._stage
        side, above = margins(stage, chain.k)
        width = stage.width + 2 * side
        base_row = stage.horizon + chain.base * stage.unit
        top = int(max(base_row - (1.75 * chain.rise + chain.tilt) * stage.unit - 6, -above)) & ~1
        bottom = min(stage.height + above, int(base_row + (0.30 + chain.shore) * stage.unit + above) + 8)
        height = max(8, (bottom - top + 1) & ~1)
        relief = self._relief(chain, tag, width, side, top)
        rgb, alpha = self._resolve(chain, relief, height)
        if chain.blades:
            ridge = relief.row.min(axis=0)
            rgb, alpha = grown(stage, rgb, alpha, ridge, chain.blades, tag)
        return make_layer(stage, rgb, alpha, chain.k, -side, top, tag)

    def _relief(self, chain: Range, tag: str, width: int, side: int, top: int) -> _Relief:
        stage = self._stage
        rng = stage.rng("land " + tag)
        steps = 280 if chain.ground == "dune" else 170
        x = ((np.arange(width, dtype=np.float32) - side) / stage.width - 0.5)[None, :] * (stage.width / stage.unit)
        d = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
        offset_u, offset_v = rng.random(2).astype(np.float32)
        stretch = 1.0 + 0.25 * d
        u = (x * stretch * chain.scale / 16 + offset_u).astype(np.float32)
        v = np.broadcast_to(d * DEPTH * chain.scale / 16 + offset_v, u.shape).astype(np.float32)
        height = self._heights(chain, u, v) * self._envelope(chain, x, d)
        if chain.ground == "dune":
            height = blurred(height, 1.6)
        rise = chain.rise * stage.unit
        row = stage.horizon + chain.base * stage.unit - top - height * rise - chain.tilt * stage.unit * d
        if chain.shore:
            ragged = 0.05 * _smooth(self._tiles[1], u[:1] * 3, v[:1] + 0.3, 4, 0.6)
            row = row + chain.shore * stage.unit * np.maximum(self._across(chain, x) * (1 + ragged), 0) * (1 - d)
        row = row.astype(np.float32)
        slope_x = np.gradient(height, axis=1) * rise
        slope_d = np.gradient(height, axis=0) * rise * steps / (DEPTH * stage.unit)
        # The sun stands to one side and a little before the land: backlit slopes would show no form.
        side_light = 0.84 if stage.sun_x > stage.width / 2 else -0.84
        up_light = 0.22 + 0.9 * max(stage.light.sun_height, 0.05)
        if chain.ground in ("dune", "snow"):
            # Bare sand and snow show their form by light and shade alone.
            up_light, side_light = up_light * 0.62, side_light * 1.35
        cosine = -slope_x * side_light + up_light + slope_d * 0.16
        lit = np.clip(cosine / np.sqrt(1 + slope_x**2 + slope_d**2), 0, 1.2).astype(np.float32)
        return _Relief(height.astype(np.float32), row, lit, np.hypot(slope_x, slope_d).astype(np.float32), u, v)

    def _heights(self, chain: Range, u: Field, v: Field) -> Field:
        first, second = self._tiles
        match chain.ground:
            case "rock":
                warp = 0.012 * sample(second, u * 2.0, v * 2.0)
                return _ridged(first, u + warp, v + warp, 8, chain.roughness)
            case "dune":
                return _dunes(first, second, u, v)
            case "trees":
                body = 0.45 + 0.5 * _smooth(first, u, v, 4, 0.45)
                return (body + 0.05 * np.abs(_smooth(second, u * 22, v * 22, 3, 0.7))).astype(np.float32)
            case _:
                return (0.5 + 0.5 * _smooth(first, u, v, 3, 0.38)).astype(np.float32)

    def _envelope(self, chain: Range, x: Floats, d: Floats) -> Field:
        """Rises from the foot to the ridge with depth; may leave a valley or lean to one side."""
        if chain.ground == "dune":
            rise = np.minimum(0.15 + 1.6 * d, 1.0)
        else:
            rise = smoothstep(0.0, 1.0, np.minimum(d * 1.05, 1))
        return (rise * self._across(chain, x)).astype(np.float32)

    def _across(self, chain: Range, x: Floats) -> Field:
        across = np.ones_like(x)
        if chain.valley:
            across = across * (1 - chain.valley * np.exp(-((x / 0.33) ** 2)))
        if chain.centre:
            lean = np.float32(np.sign(chain.centre))
            low, high = (-0.62, 0.10) if chain.shore else (-0.15, 0.75)
            across = across * (1 - abs(chain.centre) * smoothstep(low, high, -x * lean))
        return across.astype(np.float32)

    def _resolve(self, chain: Range, relief: _Relief, height: int) -> tuple[Field, Field]:
        """Hidden surfaces removed: colour (height, width, 3) and coverage (height, width).

        A column shows, at each row, the nearest point that projects to it or above it. Points are entered far to near
        into a picture of twice the rows, and a running minimum down each column fills what lies between them.
        """
        width = relief.row.shape[1]
        rgb, alpha = np.empty((height, width, 3), np.float32), np.empty((height, width), np.float32)
        colours = self._colours(chain, relief)
        lowest = relief.row.min(axis=0)
        for left in range(0, width, BLOCK):
            part = slice(left, min(left + BLOCK, width))
            painted, cover = _seen(relief.row[:, part], colours[:, part], height)
            if chain.shore:
                rows = np.arange(2 * height, dtype=np.float32)[:, None]
                cover = cover * smoothstep(3.0, -3.0, rows - relief.row[0, part] * 2)
                # Where the bank runs out it thins away instead of ending in a line.
                cover = cover * smoothstep(2.0, 8.0, relief.row[0, part] - lowest[part])
            small = (part.stop - part.start, height)
            rgb[:, part], alpha[:, part] = resized(painted, small, area=True), resized(cover, small, area=True)
        return self._hazed(chain, _settled(rgb, relief.row[0]), relief), alpha

    def _colours(self, chain: Range, relief: _Relief) -> Field:
        """Lit ground on the height field's own grid, linear RGB."""
        light = self._stage.light
        detail = _smooth(self._tiles[1], relief.u * 9, relief.v * 9, 4, 0.75)
        albedo = self._albedo(chain, relief, detail)
        curve = blurred(relief.height, 6) - relief.height
        open_sky = np.clip(1 - 2.2 * curve, 0.35, 1.25)[..., None]
        shaded = array(light.fill) * open_sky + array(light.key) * relief.lit[..., None]
        return (albedo * shaded * np.float32(1.25)).astype(np.float32)

    def _albedo(self, chain: Range, relief: _Relief, detail: Floats) -> Floats:
        grain = np.clip(1 + 0.16 * detail, 0.5, 1.6)[..., None]
        match chain.ground:
            case "dune":
                ripple = 0.035 * np.sin(relief.v * 1500 + relief.u * 260 + 1.3 * detail) if chain.scale < 2 else 0.0
                return array((0.50, 0.305, 0.155)) * np.clip(1 + 0.05 * detail + ripple, 0.8, 1.2)[..., None]
            case "wheat":
                return array((0.46, 0.31, 0.105)) * grain
            case "grass":
                return array((0.085, 0.115, 0.035)) * grain
            case "snow":
                return array((0.60, 0.63, 0.68)) * np.clip(1 + 0.07 * detail, 0.75, 1.2)[..., None]
            case "trees":
                return self._foliage(relief) * np.clip(1 + 0.4 * detail, 0.4, 2)[..., None]
            case _:
                rock = array((0.20, 0.175, 0.155)) * grain
                line = relief.height + 0.10 * detail - 0.0035 * np.minimum(relief.slope, 40)
                snow = smoothstep(chain.snow - 0.05, chain.snow + 0.10, line)[..., None]
                return rock + (array((0.80, 0.83, 0.88)) - rock) * snow

    def _foliage(self, relief: _Relief) -> Floats:
        """The colour of woods: dark green, or in autumn patches of gold, rust and red among it."""
        green = array((0.050, 0.075, 0.034))
        if not self._stage.reading.has("autumn"):
            return np.broadcast_to(green, (*relief.u.shape, 3))
        pick = _smooth(self._tiles[1], relief.u * 14 + 0.2, relief.v * 14, 2, 0.6)
        gold, rust = array((0.40, 0.20, 0.025)), array((0.26, 0.065, 0.018))
        some = smoothstep(-0.45, 0.05, pick)[..., None]
        more = smoothstep(0.10, 0.55, pick)[..., None]
        mixed = green * 0.9 + (gold - green * 0.9) * some
        return mixed + (rust - mixed) * more

    def _hazed(self, chain: Range, rgb: Field, relief: _Relief) -> Field:
        stage, light = self._stage, self._stage.light
        height, width = rgb.shape[:2]
        ridge = float(np.median(relief.row[-1]))
        foot = max(float(relief.row[0].max()), ridge + 8)
        rows = np.arange(height, dtype=np.float32)[:, None]
        low = smoothstep(ridge, foot, rows)
        amount = chain.haze + (1 - chain.haze) * chain.mist * low
        x = np.arange(width, dtype=np.float32)[None, :]
        near_sun = np.exp(-np.abs(x - stage.sun_x) / (0.45 * stage.unit))
        glow = array(light.sun) * np.float32(0.22 * min(light.glow, 1.6)) * near_sun[..., None]
        air = array(light.haze) + glow
        return (rgb + (air - rgb) * amount[..., None]).astype(np.float32)
