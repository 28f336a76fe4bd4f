"""Rivers: water winding towards hills, wooded banks to both sides, mist over it."""

from __future__ import annotations

from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.land import Range
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.places.lake import near_bank
from rushes.engines.animatic.painter.places.ocean import afloat
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.stacking import chains, fog_bank, in_the_air, lean, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import needs_ground
from rushes.engines.animatic.painter.trees import Row, grove, tree_row
from rushes.engines.animatic.painter.water import Water


def river(stage: Stage) -> list[Pass]:
    """Banks that reach in from either side by turns, the nearest from where the light is not."""
    side = lean(stage) * stage.either("lean")
    far = chains(stage, [
        Range("trees", base=0.01, rise=stage.vary("hills", 0.14, 0.26), scale=1.5, k=0.10, haze=0.70, mist=0.5),
        Range("trees", base=0.012, rise=0.13, scale=2.0, k=0.24, haze=0.42, mist=0.6, valley=0.8),
    ])  # fmt: skip
    reach = stage.vary("banks", 0.8, 1.15)
    banks = chains(stage, [
        Range("trees", base=0.020, rise=0.10, scale=2.4, k=0.36, haze=0.34, mist=0.3,
              centre=-side, shore=0.05 * reach, tilt=0.0),
        Range("trees", base=0.050, rise=0.13, scale=2.2, k=0.55, haze=0.20, mist=0.3,
              centre=side, shore=0.10 * reach, tilt=0.0),
        Range("trees", base=0.110, rise=0.20, scale=1.7, k=1.0, haze=0.03, mist=0.0,
              centre=-side, shore=0.26 * reach, tilt=0.0),
    ])  # fmt: skip
    shore = tree_row(stage, grove(stage, 5), Row(0.012, 0.085, 7.0, 0.30, 0.34, gap=0.16), "shore")
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 2), *stacked(stage, far), LayerPass(stage, shore)]
    passes += fog_bank(stage, -0.03, "hills", 0.75)
    passes.append(Water(stage, 0.022, eye=2.0, patch=10.0, mirror=0.30))
    passes += fog_bank(stage, 0.03, "water", 0.8)
    passes += [LayerPass(stage, banks[0]), LayerPass(stage, banks[1]), *fog_bank(stage, 0.10, "near", 0.45)]
    if not needs_ground(stage):
        passes.append(LayerPass(stage, banks[2]))
    return [*passes, *afloat(stage, 0.5 + 0.16 * side), *near_bank(stage), *in_the_air(stage)]
