"""Deserts: dunes behind dunes, sand blowing low over them."""

from __future__ import annotations

from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.colour import mix
from rushes.engines.animatic.painter.land import Range
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import on_ridge
from rushes.engines.animatic.painter.stacking import chains, in_the_air, lean, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import standing
from rushes.engines.animatic.painter.weather import Fog


def desert(stage: Stage) -> list[Pass]:
    """Five chains of dunes; whoever crosses them walks along the crest of the fourth."""
    side = lean(stage) * stage.either("lean")
    wide = stage.vary("dunes", 0.75, 1.3)
    layers = chains(stage, [
        Range("dune", base=0.020, rise=0.050, scale=3.2 * wide, k=0.08, haze=0.60, mist=0.2, tilt=0.03),
        Range("dune", base=0.070, rise=0.085, scale=2.2 * wide, k=0.18, haze=0.36, mist=0.25, tilt=0.07),
        Range("dune", base=0.170, rise=0.130 * stage.vary("third", 0.7, 1.5), scale=1.5 * wide, k=0.36, haze=0.18,
              mist=0.2, centre=0.3 * side, tilt=0.13),
        Range("dune", base=0.340, rise=0.170 * stage.vary("fourth", 0.7, 1.4), scale=1.0 * wide, k=0.62, haze=0.07,
              mist=0.1, centre=-0.4 * side, tilt=0.20),
        Range("dune", base=0.640, rise=0.230, scale=0.7 * wide, k=1.0, haze=0.0, centre=0.4 * side, tilt=0.33),
    ])  # fmt: skip
    passes = stacked(stage, layers)
    passes[4:4] = standing(stage, on_ridge(stage, layers[3], 0.044, 0.05))
    sand = mix(stage.light.haze, stage.light.key, 0.15)
    passes.insert(3, Fog(stage, stage.horizon + 0.07 * stage.unit, 0.05, 0.06, 0.30, "sand", sand, pace=7.0))
    return [Sky(stage, int(stage.horizon) + 12), *passes, *in_the_air(stage)]
