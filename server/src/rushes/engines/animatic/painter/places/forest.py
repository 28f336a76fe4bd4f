"""Forests: rows of trees around a clearing, paler with distance."""

from __future__ import annotations

from functools import partial

import numpy as np

from rushes.engines.animatic.painter.broadleaf import broadleaf
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.colour import Rgb, array, mix, scaled
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.spot import on_ground
from rushes.engines.animatic.painter.stacking import in_the_air, side_by_side, stacked
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.standing import LEAF, season, standing
from rushes.engines.animatic.painter.trees import Row, Tree, grove, tree_row
from rushes.engines.animatic.painter.weather import Fog


def forest(stage: Stage) -> list[Pass]:
    """Five rows, of conifers unless the words say otherwise; the clearing lies where the subject stands."""
    snowy = stage.reading.has("snow", "snowfall")
    leafy = stage.reading.has("broadleaf", "autumn", "spring") and not snowy
    ground = _floor(stage, snowy)
    snow = 0.95 if snowy else 0.0
    air = stage.light.haze
    trees = _leafy_grove(stage) if leafy else grove(stage)
    leaves = LEAF[season(stage)] if leafy else ()
    thin = stage.vary("thick", 0.75, 1.3) * (0.55 if leafy else 1.0)
    tall = stage.vary("tall", 0.9, 1.12) * (0.92 if leafy else 1.0)
    clearing = stage.vary("clearing", -0.30, 0.30) if not stage.reading.subjects else (stage.focus - 0.5) * 1.2
    gap = stage.vary("gap", 0.75, 1.25)
    rows = [
        Row(0.012, 0.25 * tall, 34 * thin, 0.09, 0.78, 0.0, snow, mix(ground, air, 0.6), clearing, leaves),
        Row(0.030, 0.34 * tall, 20 * thin, 0.15, 0.60, 0.0, snow, mix(ground, air, 0.42), clearing, leaves),
        Row(0.062, 0.46 * tall, 13 * thin, 0.25, 0.40, 0.12 * gap, snow, mix(ground, air, 0.26), clearing, leaves),
        Row(0.125, 0.62 * tall, 7.5 * thin, 0.42, 0.20, 0.27 * gap, snow, mix(ground, air, 0.12), clearing, leaves),
        Row(0.250, 0.95 * tall, 4.2 * thin, 0.85, 0.03, 0.52 * gap, snow, scaled(ground, 0.94), clearing, leaves),
    ]
    layers = side_by_side([partial(tree_row, stage, trees, row, str(n)) for n, row in enumerate(rows)])
    passes = stacked(stage, layers)
    passes[4:4] = standing(stage, on_ground(stage, 0.215, 0.62, 0.100, 0.08, sunk=0.0 if not snowy else 0.1))
    if stage.reading.has("fog") or snowy:
        density = 0.62 if stage.reading.has("fog") else 0.30
        passes.insert(3, Fog(stage, stage.horizon + 0.03 * stage.unit, 0.15, 0.07, density, "deep"))
    return [Sky(stage, int(stage.horizon) + 24), *passes, *in_the_air(stage)]


def _floor(stage: Stage, snowy: bool) -> Rgb:
    """The colour of the ground, lit."""
    light = stage.light
    bare: Rgb = (0.16, 0.075, 0.022) if stage.reading.has("autumn") else (0.075, 0.080, 0.040)
    floor = array((0.74, 0.78, 0.86)) if snowy else array(bare)
    lit = floor * (array(light.fill) * 1.5 + array(light.key) * (0.30 if snowy else 0.45))
    return float(lit[0]), float(lit[1]), float(lit[2])


def _leafy_grove(stage: Stage) -> list[Tree]:
    rng = stage.rng("leafy grove")
    tall = int(np.clip(1.0 * stage.unit, 120, 900))
    return [broadleaf(rng, tall) for _ in range(4)]
