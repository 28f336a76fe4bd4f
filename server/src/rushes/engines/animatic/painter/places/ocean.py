"""Open water, a beach, a rocky headland."""

from __future__ import annotations

from rushes.engines.animatic.painter.beach import NEARNESS, Beach
from rushes.engines.animatic.painter.boat import Boat
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.land import Range
from rushes.engines.animatic.painter.layers import Layer, LayerPass
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import Spot, on_ground, on_ridge
from rushes.engines.animatic.painter.stacking import chains, fog_bank, in_the_air
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import needs_ground, standing
from rushes.engines.animatic.painter.swimmers import Swimmers
from rushes.engines.animatic.painter.vessels import Canoe, Ship
from rushes.engines.animatic.painter.water import Water

EDGE = 0.20
"""Where a beach begins, in units below the horizon."""


def ocean(stage: Stage) -> list[Pass]:
    """Water to the horizon, and in front of it what the prompt names."""
    reading = stage.reading
    rough = 0.055 if reading.has("calm") else 0.085
    if reading.has("rough", "storm"):
        rough = 0.14
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 2), *_far_coast(stage)]
    cliffs = reading.has("cliffs")
    beach = Beach(stage, EDGE) if not cliffs and (reading.has("beach") or needs_ground(stage)) else None
    low = beach.covers_from() if beach else None
    passes.append(Water(stage, rough, eye=stage.vary("eye", 2.4, 4.2), patch=16.0, bottom=low))
    passes += afloat(stage)
    if cliffs:
        layers = _headland(stage)
        passes += [LayerPass(stage, layer) for layer in layers]
        passes += standing(stage, on_ridge(stage, layers[-1], 0.028, 0.05))
    elif beach:
        passes.append(beach)
        passes += standing(stage, on_ground(stage, EDGE + 0.075, NEARNESS, 0.088, 0.0))
    return [*passes, *fog_bank(stage, 0.0, "sea", 0.8), *in_the_air(stage)]


def afloat(stage: Stage, open_water: float | None = None) -> list[Pass]:
    """Boats, ships and what leaps out of the water; `open_water` is a column without banks, as a share of the width."""
    reading = stage.reading
    passes: list[Pass] = []
    if reading.named("ship"):
        passes.append(Ship(stage, Spot(stage.horizon + 0.012 * stage.unit, 0.06, 0.0024 * stage.unit, 0.30)))
    if reading.has("boat"):
        passes.append(Boat(stage))
    for subject in reading.named("whale", "dolphin"):
        metre = 0.040 if subject.name == "whale" else 0.105
        row = 0.10 if subject.name == "whale" else 0.17
        passes.append(Swimmers(stage, on_ground(stage, row, 0.4, metre, 0.05), subject.name, subject.count))
    if reading.named("canoe"):
        passes.append(
            Canoe(stage, on_ground(stage, 0.235, 0.6, 0.070, 0.02), stage.width * (open_water or stage.focus))
        )
    return passes


def _far_coast(stage: Stage) -> list[Pass]:
    """Land on the horizon, which the seed puts to one side, or to the other, or nowhere."""
    if stage.vary("coast", 0, 1) < 0.35:
        return []
    coast = Range("rock", base=0.004, rise=stage.vary("coast height", 0.05, 0.15), scale=stage.vary("coast", 0.8, 1.8),
                  k=0.05, haze=0.62, mist=0.5, centre=stage.either("coast"), roughness=0.45)  # fmt: skip
    return [LayerPass(stage, layer) for layer in chains(stage, [coast])]


def _headland(stage: Stage) -> list[Layer]:
    """Rocks that run out into the sea from one side, the nearer ones higher."""
    side = 1.0 if stage.focus > 0.5 else -1.0
    return chains(stage, [
        Range("rock", base=0.012, rise=0.085, scale=2.4, k=0.16, haze=0.46, mist=0.2, centre=0.9 * side, shore=0.03,
              tilt=0.0),
        Range("rock", base=0.045, rise=0.20, scale=1.9, k=0.40, haze=0.14, mist=0.15, centre=side, shore=0.12,
            tilt=0.0),
    ])  # fmt: skip
