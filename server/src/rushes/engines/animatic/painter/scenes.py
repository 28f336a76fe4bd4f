"""Which passes make which scene, back to front."""

from __future__ import annotations

from collections.abc import Callable

from rushes.engines.animatic.painter.abstract import Ribbons
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.finish import Vignette
from rushes.engines.animatic.painter.land import Land, Range
from rushes.engines.animatic.painter.layers import Layer, LayerPass
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.water import Water


def stacked(stage: Stage, layers: list[Layer]) -> list[Pass]:
    """Layers, far to near, each leaving to the next what that one hides."""
    nearer = [*layers[1:], None]
    return [LayerPass(stage, layer, until) for layer, until in zip(layers, nearer, strict=True)]


def _chains(stage: Stage, chains: list[Range]) -> list[Pass]:
    land = Land(stage)
    return stacked(stage, [land.layer(chain, f"chain {n}") for n, chain in enumerate(chains)])


def mountain(stage: Stage) -> list[Pass]:
    """Four chains of mountains and a near slope, each paler and slower than the one before it."""
    lean = 1.0 if stage.sun_x < stage.width / 2 else -1.0
    chains = [
        Range("rock", base=0.02, rise=0.30, scale=9, k=0.10, haze=0.74, mist=0.6, snow=0.5),
        Range("rock", base=0.06, rise=0.40, scale=7, k=0.20, haze=0.50, mist=0.7, centre=0.55 * lean, snow=0.42),
        Range("rock", base=0.15, rise=0.34, scale=6, k=0.38, haze=0.30, mist=0.7, valley=0.5, snow=0.62),
        Range("trees", base=0.27, rise=0.24, scale=7, k=0.62, haze=0.14, mist=0.55, valley=0.6),
        Range("trees", base=0.44, rise=0.26, scale=5, k=1.0, haze=0.03, mist=0.15, centre=0.8 * lean),
    ]
    return [Sky(stage, int(stage.horizon) + 8), *_chains(stage, chains), Vignette(stage)]


def ocean(stage: Stage) -> list[Pass]:
    """Open water to the horizon."""
    rough = 0.055 if stage.reading.has("calm") else 0.085
    if stage.reading.has("rough", "storm"):
        rough = 0.14
    sky = Sky(stage, int(stage.horizon) + 2)
    return [sky, Water(stage, rough, eye=3.2, patch=16.0), Vignette(stage)]


def abstract(stage: Stage) -> list[Pass]:
    """Nothing that could be mistaken for what the prompt asked for."""
    return [Ribbons(stage), Vignette(stage, 0.4)]


BUILDERS: dict[str, Callable[[Stage], list[Pass]]] = {"mountain": mountain, "ocean": ocean}


def passes_for(stage: Stage) -> list[Pass]:
    """The passes of a stage's scene."""
    return BUILDERS.get(stage.reading.biome, abstract)(stage)
