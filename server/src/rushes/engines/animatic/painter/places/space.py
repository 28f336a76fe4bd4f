"""Space: a planet among stars, and a spacecraft before it."""

from __future__ import annotations

from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.finish import Vignette
from rushes.engines.animatic.painter.space import Deep, Planet
from rushes.engines.animatic.painter.spacecraft import Spacecraft
from rushes.engines.animatic.painter.stage import Stage


def space(stage: Stage) -> list[Pass]:
    """The deep, a world, and whoever travels."""
    passes: list[Pass] = [Deep(stage), Planet(stage)]
    if stage.reading.named("spaceship") or stage.reading.has("spaceship"):
        passes.append(Spacecraft(stage))
    return [*passes, Vignette(stage, 0.35)]
