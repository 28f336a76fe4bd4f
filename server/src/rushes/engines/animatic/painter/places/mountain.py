"""Mountains: chains of peaks, wooded slopes, and a near one for whoever stands there."""

from __future__ import annotations

from rushes.engines.animatic.painter.buildings import viaduct
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.land import Range
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.machines import Train
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import Spot, on_ridge
from rushes.engines.animatic.painter.stacking import chains, fog_bank, in_the_air, lean, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import needs_ground, standing
from rushes.engines.animatic.painter.steam import Steam
from rushes.engines.animatic.painter.weather import Fog


def mountain(stage: Stage) -> list[Pass]:
    """Three chains of mountains and two slopes, each paler and slower than the one before it."""
    side = lean(stage) * stage.either("lean")
    snow = 0.3 if stage.reading.has("snow", "snowfall") else stage.vary("snow line", -0.10, 0.12)
    high = stage.vary("peaks", 0.80, 1.18)
    rough = stage.vary("roughness", 0.42, 0.55)
    layers = chains(stage, [
        Range("rock", base=0.02, rise=0.26 * high, scale=stage.vary("far", 2.0, 3.2), k=0.10, haze=0.66, mist=0.6,
              snow=0.5 - snow, roughness=rough),
        Range("rock", base=0.06, rise=0.44 * high, scale=stage.vary("middle", 1.2, 1.9), k=0.20, haze=0.42, mist=0.7,
              centre=0.5 * side, snow=0.42 - snow, roughness=rough),
        Range("rock", base=0.16, rise=0.30, scale=stage.vary("near", 1.4, 2.2), k=0.38, haze=0.24, mist=0.7,
              valley=stage.vary("valley", 0.15, 0.65), snow=0.75 - 1.5 * snow, roughness=rough),
        Range("trees", base=0.27, rise=0.22, scale=stage.vary("slope", 1.4, 2.2), k=0.62, haze=0.12, mist=0.6,
              valley=0.6),
        _near_slope(stage, side),
    ])  # fmt: skip
    passes = stacked(stage, layers)
    spot = on_ridge(stage, layers[4], 0.060, 0.02)
    passes += standing(stage, spot)
    passes.insert(4, Fog(stage, stage.horizon + 0.29 * stage.unit, 0.05, 0.06, 0.45, "valley"))
    if stage.reading.has("fog"):
        passes[4:4] = fog_bank(stage, 0.26, "far", 0.6)
        passes[3:3] = fog_bank(stage, 0.12, "farther", 0.7)
    if stage.reading.named("train"):
        passes[3:3] = _railway(stage)
    return [Sky(stage, int(stage.horizon) + 8), *passes, *in_the_air(stage)]


def _near_slope(stage: Stage, side: float) -> Range:
    """A wooded slope; open ground if somebody has to be seen on it, rising on the side where they stand."""
    if not needs_ground(stage):
        return Range("trees", base=0.46, rise=0.30, scale=1.3, k=1.0, haze=0.02, mist=0.2, centre=0.8 * side)
    snowy = stage.reading.has("snow", "snowfall")
    centre = 0.55 if stage.focus > 0.5 else -0.55
    return Range("snow" if snowy else "grass", base=0.40, rise=0.13, scale=0.9, k=1.0, haze=0.0, centre=centre,
                 blades=0.0 if snowy else 0.016)  # fmt: skip


def _railway(stage: Stage) -> list[Pass]:
    """A viaduct across the valley with a train on it, before the nearest rocks."""
    metre = stage.unit * 0.0072
    spot = Spot(stage.horizon + 0.055 * stage.unit, 0.40, metre, 0.16)
    wide = stage.width / metre * 1.5
    train = Train(stage, spot)
    steam = Steam(stage, train.chimney, "engine", rate=9, life=5.5, size=5.0, rise=2.6, strength=0.62, white=0.92)
    bridge = viaduct(stage, spot, min(wide, 2600 / metre))
    return [train, LayerPass(stage, bridge), steam]
