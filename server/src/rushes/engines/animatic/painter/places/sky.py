"""Skies: heaped clouds over a low line of hills, or a sea of clouds seen from above."""

from __future__ import annotations

from functools import partial

from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.cirrus import cirrus
from rushes.engines.animatic.painter.colour import mix
from rushes.engines.animatic.painter.cumulus import SHEET, Heaps, cloud_banks, drift, sea_of_clouds, wind_aloft
from rushes.engines.animatic.painter.land import Range
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import on_ridge
from rushes.engines.animatic.painter.stacking import chains, fog_bank, in_the_air, side_by_side, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import needs_ground, standing
from rushes.engines.animatic.painter.weather import Fog


def sky(stage: Stage) -> list[Pass]:
    """Nothing but air, and low in the frame the land or the clouds under it."""
    closed = stage.light.cover >= SHEET
    heaps = Heaps(stage)
    passes: list[Pass] = [Sky(stage, stage.height, sheet=closed)]
    if not closed:
        wind = wind_aloft(stage)
        passes.append(LayerPass(stage, cirrus(stage, 0.22 if stage.reading.has("clear") else 0.5, wind), drift=wind))
    if stage.reading.has("above"):
        return [*passes, *_cloud_sea(stage, heaps), *in_the_air(stage)]
    banks = cloud_banks(stage)
    layers = side_by_side([partial(heaps.layer, bank, str(n)) for n, bank in enumerate(banks)])
    passes += [LayerPass(stage, layer, drift=drift(stage, bank)) for layer, bank in zip(layers, banks, strict=True)]
    return [*passes, *_hills(stage), *fog_bank(stage, 0.03, "hills", 0.7), *in_the_air(stage)]


def _hills(stage: Stage) -> list[Pass]:
    high = stage.vary("hills", 0.7, 1.7)
    layers = chains(stage, [
        Range("trees", base=0.012, rise=0.055 * high, scale=stage.vary("far", 0.9, 1.8), k=0.10, haze=0.66, mist=0.4),
        Range("trees", base=0.050, rise=0.060 * high, scale=1.5, k=0.20, haze=0.40, mist=0.5, valley=0.4),
    ])  # fmt: skip
    passes = stacked(stage, layers)
    if needs_ground(stage):
        centre = 0.6 if stage.focus > 0.5 else -0.6
        hill = chains(
            stage, [Range("grass", base=0.09, rise=0.13, scale=0.5, k=0.6, haze=0.04, centre=centre, blades=0.014)]
        )[0]
        passes += [LayerPass(stage, hill), *standing(stage, on_ridge(stage, hill, 0.058, 0.03))]
    return passes


def _cloud_sea(stage: Stage, heaps: Heaps) -> list[Pass]:
    """Banks of cloud down to the bottom of the frame, mist between the farther ones."""
    banks = sea_of_clouds(stage)
    layers = side_by_side([partial(heaps.layer, bank, str(n)) for n, bank in enumerate(banks)])
    passes: list[Pass] = [
        LayerPass(stage, layer, until, drift(stage, bank))
        for layer, until, bank in zip(layers, [*layers[1:], None], banks, strict=True)
    ]
    air = mix(stage.light.haze, stage.light.horizon, 0.5)
    for at, n in ((0.055, 2), (0.21, 4)):
        row = stage.horizon + at * (stage.height - stage.horizon)
        passes.insert(n, Fog(stage, row, 0.03 + 0.2 * at, 0.03 + 0.25 * at, 0.55, f"veil {n}", air))
    return passes
