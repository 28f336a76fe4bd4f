"""Which place is painted for which scene; the places are in places/."""

from __future__ import annotations

from collections.abc import Callable

from rushes.engines.animatic.painter.abstract import Ribbons
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.finish import Vignette
from rushes.engines.animatic.painter.places.city import city
from rushes.engines.animatic.painter.places.desert import desert
from rushes.engines.animatic.painter.places.field import field
from rushes.engines.animatic.painter.places.forest import forest
from rushes.engines.animatic.painter.places.lake import lake
from rushes.engines.animatic.painter.places.mountain import mountain
from rushes.engines.animatic.painter.places.ocean import ocean
from rushes.engines.animatic.painter.places.river import river
from rushes.engines.animatic.painter.places.sky import sky
from rushes.engines.animatic.painter.places.space import space
from rushes.engines.animatic.painter.stage import Stage

PLACES: dict[str, Callable[[Stage], list[Pass]]] = {
    "mountain": mountain, "ocean": ocean, "lake": lake, "river": river, "forest": forest, "desert": desert,
    "field": field, "city": city, "sky": sky, "space": space,
}  # fmt: skip


def abstract(stage: Stage) -> list[Pass]:
    """Nothing that could be mistaken for what the prompt asked for."""
    return [Ribbons(stage), Vignette(stage, 0.4)]


def passes_for(stage: Stage) -> list[Pass]:
    """The passes of a stage's scene."""
    return PLACES.get(stage.reading.biome, abstract)(stage)
