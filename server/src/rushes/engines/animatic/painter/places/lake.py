"""Lakes: mountains and a wooded shore mirrored in still water, a near bank for whoever stands there."""

from __future__ import annotations

from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.land import Range
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.places.ocean import afloat
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import on_ridge
from rushes.engines.animatic.painter.stacking import chains, fog_bank, in_the_air, lean, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import needs_ground, standing
from rushes.engines.animatic.painter.water import Water


def lake(stage: Stage) -> list[Pass]:
    """Two chains of mountains and a wooded shore, above the water and in it."""
    reading = stage.reading
    side = lean(stage) * stage.either("lean")
    snow = 0.35 if reading.has("snow", "snowfall") else stage.vary("snow line", -0.10, 0.15)
    high = stage.vary("peaks", 0.75, 1.35)
    far = chains(stage, [
        Range("rock", base=0.012, rise=0.20 * high, scale=stage.vary("far", 1.6, 2.8), k=0.10, haze=0.55, mist=0.6,
              snow=0.45 - snow),
        Range("rock", base=0.012, rise=0.22 * high, scale=stage.vary("middle", 1.2, 2.1), k=0.18, haze=0.34, mist=0.6,
              valley=stage.vary("valley", 0.2, 0.7), snow=0.6 - snow),
        Range("trees", base=0.008, rise=stage.vary("shore", 0.05, 0.11), scale=2.0, k=0.26, haze=0.16, mist=0.5,
              valley=0.5, centre=0.5 * side),
    ])  # fmt: skip
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 2), *stacked(stage, far), *fog_bank(stage, -0.01, "far", 0.6)]
    rough = 0.016 if reading.has("calm", "aurora", "milkyway") else 0.026
    passes.append(Water(stage, rough, eye=2.2, patch=11.0, mirror=0.42))
    passes += fog_bank(stage, 0.02, "shore", 0.7)
    return [*passes, *afloat(stage), *near_bank(stage), *in_the_air(stage)]


def near_bank(stage: Stage) -> list[Pass]:
    """Ground on this side of the water, if anybody has to stand there."""
    if not needs_ground(stage):
        return []
    ground = "snow" if stage.reading.has("snow", "snowfall") else "grass"
    centre = 0.45 if stage.focus > 0.5 else -0.45
    blades = 0.0 if ground == "snow" else 0.020
    bank = chains(
        stage, [Range(ground, base=0.36, rise=0.085, scale=0.8, k=0.9, haze=0.0, centre=centre, blades=blades)]
    )[0]
    return [LayerPass(stage, bank), *standing(stage, on_ridge(stage, bank, 0.066, 0.0))]
