"""Fields: rolling hills behind grass or corn that the wind runs through, a single hill, or snow."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.broadleaf import broadleaf
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.land import Ground, Range
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.meadow import Meadow, crop_for
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import Spot, haze_at, on_ground, on_ridge
from rushes.engines.animatic.painter.stacking import chains, fog_bank, in_the_air, lean, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import LEAF, season, standing
from rushes.engines.animatic.painter.subjects import BUILDINGS
from rushes.engines.animatic.painter.trees import Row, grove, tree_row


def field(stage: Stage) -> list[Pass]:
    """Hills on the horizon, then a hill, a snow field or a meadow."""
    side = lean(stage) * stage.either("lean")
    snowy = stage.reading.has("snow", "snowfall")
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 12), *_distance(stage, side, snowy)]
    passes += fog_bank(stage, 0.02, "hills", 0.6)
    if stage.reading.has("hill"):
        passes += _hill(stage, snowy)
    elif snowy:
        passes += _snow(stage, side)
    else:
        passes += _meadow(stage)
    return [*passes, *in_the_air(stage)]


def _distance(stage: Stage, side: float, snowy: bool) -> list[Pass]:
    far: Ground = "snow" if snowy else "grass"
    crop: Ground = "snow" if snowy else "wheat" if stage.reading.has("wheat", "savanna") else "grass"
    high = stage.vary("hills", 0.6, 1.7)
    layers = chains(stage, [
        Range("trees", base=0.006, rise=0.085 * high, scale=stage.vary("far", 0.9, 1.8), k=0.07, haze=0.72, mist=0.3),
        Range(far, base=0.018, rise=0.070 * high, scale=stage.vary("middle", 1.1, 2.0), k=0.12, haze=0.50, mist=0.3,
              centre=0.4 * side),
        Range(crop, base=0.030, rise=0.055, scale=1.6, k=0.17, haze=0.34, mist=0.3, centre=-0.5 * side),
        Range("trees", base=0.034, rise=0.034 * stage.vary("hedge", 0.3, 1.5), scale=2.4, k=0.20, haze=0.26, mist=0.2),
    ])  # fmt: skip
    return stacked(stage, layers)


def _copses(stage: Stage) -> list[Pass]:
    """Clumps of trees at the field's far edge, where the seed has them."""
    if stage.vary("copses", 0, 1) < 0.3 or stage.reading.has("savanna"):
        return []
    rng = stage.rng("copses")
    trees = [broadleaf(rng, int(np.clip(0.16 * stage.unit, 40, 240))) for _ in range(3)]
    row = Row(0.034, stage.vary("copse", 0.07, 0.13), stage.vary("number", 2.0, 7.0), 0.19, 0.30,
              gap=stage.vary("gap", 0.05, 0.5), clearing=stage.vary("open", -0.4, 0.4),
                  leaves=LEAF[season(stage)])  # fmt: skip
    return [LayerPass(stage, tree_row(stage, trees, row, "copses"))]


def _meadow(stage: Stage) -> list[Pass]:
    meadow = Meadow(stage, crop_for(stage), 0.026)
    small = bool(stage.reading.named("fox", "cat", "dog", "sheep"))
    row, metre = (0.27, 0.150) if small else (0.215, 0.080)
    near = row * stage.unit / max(stage.height - stage.horizon, 1)
    tall = 0.10 if small else 0.22
    passes: list[Pass] = [*_copses(stage), meadow]
    if stage.reading.named(*BUILDINGS):
        # Houses stand back at the edge of the field.
        away = on_ground(stage, 0.050, 0.12, 0.016, haze_at(0.05), 0.0)
        own = _only(stage, away, buildings=True)
        passes += own
    return passes + _only(stage, on_ground(stage, row, near, metre, haze_at(row), tall), buildings=False)


def _only(stage: Stage, spot: Spot, *, buildings: bool) -> list[Pass]:
    return standing(stage, spot, buildings=buildings, others=not buildings)


def _hill(stage: Stage, snowy: bool) -> list[Pass]:
    """One broad hill whose top lies where the subject stands."""
    ground: Ground = "snow" if snowy else "wheat" if season(stage) in ("autumn", "dry") else "grass"
    centre = 0.75 if stage.focus > 0.5 else -0.75
    rise = stage.vary("hill", 0.16, 0.24)
    blades = 0.0 if snowy else 0.012
    hill = chains(stage, [Range(ground, base=0.30, rise=rise, scale=0.35, k=0.7, haze=0.02, centre=centre, tilt=0.10,
                                blades=blades)])[0]  # fmt: skip
    return [LayerPass(stage, hill), *standing(stage, on_ridge(stage, hill, 0.062, 0.02))]


def _snow(stage: Stage, side: float) -> list[Pass]:
    """Drifts of snow with a few bare conifers behind them."""
    wood = tree_row(stage, grove(stage, 4), Row(0.036, 0.13, 9.0, 0.20, 0.34, 0.10, 0.9), "edge")
    layers = chains(stage, [
        Range("snow", base=0.085, rise=0.060, scale=1.6, k=0.30, haze=0.20, mist=0.2, centre=0.3 * side, tilt=0.05),
        Range("snow", base=0.220, rise=0.095, scale=1.3, k=0.62, haze=0.06, mist=0.1, centre=-0.3 * side, tilt=0.12),
        Range("snow", base=0.440, rise=0.140, scale=1.1, k=1.0, haze=0.0, centre=0.5 * side, tilt=0.22),
    ])  # fmt: skip
    passes: list[Pass] = [LayerPass(stage, wood), *stacked(stage, layers)]
    small = bool(stage.reading.named("fox", "cat", "dog", "sheep"))
    passes[3:3] = standing(stage, on_ridge(stage, layers[1], 0.165 if small else 0.070, 0.03, 0.05))
    return passes
