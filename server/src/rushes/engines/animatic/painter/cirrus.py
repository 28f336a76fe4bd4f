"""Cirrus: thin ice high up, combed out by the wind; one soft layer over the clear sky."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.colour import array
from rushes.engines.animatic.painter.layers import Layer, make_layer, margins
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import Field, resized, single
from rushes.engines.animatic.painter.stage import Stage

NEARNESS = 0.03
SMALL = 2
"""It has no edges, so it is worked out this much smaller than the frame."""


def cirrus(stage: Stage, amount: float, drift: float) -> Layer:
    """A veil over the upper sky, `amount` 0..1 of full strength, that will drift by `drift` pixels per second."""
    side, above = margins(stage, NEARNESS)
    side += 2 * int(abs(drift) * stage.count / stage.fps / 4 + 1)
    width, height = (stage.width + 2 * side + 3) // 4 * 4, int(max(stage.horizon, 8) + 2 * above) // 4 * 4
    x = ((np.arange(width // SMALL, dtype=np.float32) * SMALL - side) / np.float32(stage.unit))[None, :]
    up = ((stage.horizon + above - np.arange(height // SMALL, dtype=np.float32) * SMALL) / stage.unit)[:, None]
    thin = single(_fibres(stage, x, single(up)) * smoothstep(0.10, 0.60, single(up)) * np.float32(amount))
    dx, dy = x * stage.unit - stage.sun_x, stage.horizon - up * stage.unit - stage.sun_y
    glow = np.exp(-np.hypot(dx, dy) / (0.30 * stage.unit))[..., None]
    light = stage.light
    rgb = array(light.cloud) * np.float32(1.05) + array(light.sun) * (0.9 * light.glow * glow)
    size = (width, height)
    return make_layer(stage, resized(single(rgb), size), resized(thin, size), NEARNESS, -side, -above, "cirrus")


def _fibres(stage: Stage, x: Field, up: Field) -> Field:
    """How much ice: long curved fibres in a few drawn-out patches, 0..1."""
    rng = stage.rng("cirrus")
    patch = wrapped(spectral(rng, 256, 3.4, low=2))
    fibre = wrapped(spectral(rng, 512, 2.5, low=3))
    depth = 0.75 / (up + 0.22)
    across = x * depth
    along = np.broadcast_to(depth * np.float32(1.1), across.shape)
    slant = float(rng.uniform(0.35, 0.8)) * (1 if rng.random() < 0.5 else -1)
    comb = across * np.float32(slant) + along
    wide = lookup(patch, fraction(across * 0.16 + 0.3) * 256, fraction(along * 0.30 + 0.1) * 256)
    u = across * np.float32(0.07) - along * np.float32(0.07 * slant) + 0.004 * wide
    thread = lookup(fibre, fraction(u) * 512, fraction(comb * 0.40 + 0.012 * wide) * 512)
    return single(smoothstep(-0.5, 2.0, wide + 0.2 * thread) * smoothstep(-1.6, 2.2, thread))
