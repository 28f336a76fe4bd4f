"""Cities: a street between lit walls, or a skyline over water."""

from __future__ import annotations

from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.places.ocean import afloat
from rushes.engines.animatic.painter.road import Road
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.skyline import Block, towers
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stacking import bloom, fog_bank, in_the_air, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.street import EYE, Street
from rushes.engines.animatic.painter.traffic import Traffic
from rushes.engines.animatic.painter.walkers import walkers
from rushes.engines.animatic.painter.water import Water


def city(stage: Stage) -> list[Pass]:
    """A street if the prompt is down in it or names somebody, else a skyline."""
    if stage.reading.has("street") or stage.reading.time == "neon" or walkers(stage, _crossing(stage)):
        return _street(stage)
    low = stage.vary("towers", 0.8, 1.25)
    layers = [
        towers(stage, Block(0.006, 0.08, 0.26 * low, 0.060, 0.08, 0.46), "far"),
        towers(stage, Block(0.008, 0.07, 0.40 * low, 0.075, 0.14, 0.20), "middle"),
        towers(stage, Block(0.010, 0.04, 0.27 * low, 0.090, 0.22, 0.05), "near"),
    ]
    passes = [Sky(stage, int(stage.horizon) + 2), *stacked(stage, layers), *fog_bank(stage, -0.02, "city", 0.6)]
    passes.append(Water(stage, 0.030, eye=2.4, patch=11.0, mirror=0.30))
    return [*passes, *afloat(stage), *bloom(stage, 0.45), *in_the_air(stage)]


def _street(stage: Stage) -> list[Pass]:
    street = Street(stage)
    far = towers(stage, Block(0.0, 0.10, 0.34, 0.07, 0.10, 0.55), "end")
    passes: list[Pass] = [
        Sky(stage, int(stage.horizon) + 8, columns=street.between()),
        LayerPass(stage, far),
        street,
        Road(stage, street),
    ]
    passes += [Traffic(stage, street), *walkers(stage, _crossing(stage))]
    return [*passes, *fog_bank(stage, 0.0, "street", 0.5), *bloom(stage, 0.55), *in_the_air(stage)]


def _crossing(stage: Stage) -> Spot:
    """Where people cross the road, eleven metres before the camera."""
    metre = 0.98 * stage.unit / 11.0
    return Spot(stage.horizon + EYE * metre, 0.9, metre, 0.10)
