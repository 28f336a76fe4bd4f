"""What the places share: layers in their order, chains of land, banks of fog, what is in the air, who stands there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rushes.engines.animatic.painter.balloons import Balloons
from rushes.engines.animatic.painter.birds import Flock
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.eagle import Eagle
from rushes.engines.animatic.painter.finish import Bloom, Vignette
from rushes.engines.animatic.painter.land import Land, Range
from rushes.engines.animatic.painter.layers import Layer, LayerPass
from rushes.engines.animatic.painter.leaves import Leaves
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.weather import Fog, Rain, Snow, Sparks


def stacked(stage: Stage, layers: list[Layer]) -> list[Pass]:
    """Layers, far to near, each leaving to the next what that one hides."""
    nearer = [*layers[1:], None]
    return [LayerPass(stage, layer, until) for layer, until in zip(layers, nearer, strict=True)]


def chains(stage: Stage, ranges: list[Range]) -> list[Layer]:
    """Chains of land as layers, made of the same noise."""
    land = Land(stage)
    return side_by_side([partial(land.layer, chain, f"chain {n}") for n, chain in enumerate(ranges)])


def side_by_side(builds: Sequence[Callable[[], Layer]]) -> list[Layer]:
    """The layers that these make, two at a time: each depends on nothing but its own random numbers."""
    with ThreadPoolExecutor(2) as hands:
        return list(hands.map(_called, builds))


def _called(build: Callable[[], Layer]) -> Layer:
    return build()


def in_the_air(stage: Stage) -> list[Pass]:
    """What flies, falls or floats in front of every outdoor scene, and the vignette."""
    passes: list[Pass] = []
    reading = stage.reading
    passes += [Balloons(stage, subject.count) for subject in reading.named("balloon")]
    if reading.has("eagle"):
        passes.append(Eagle(stage))
    elif reading.has("birds"):
        passes.append(Flock(stage))
    if reading.has("snowfall"):
        passes.append(Snow(stage))
    if reading.has("rain"):
        passes.append(Rain(stage))
    if reading.has("leaves", "petals"):
        passes.append(Leaves(stage))
    if reading.has("fireflies"):
        passes.append(Sparks(stage, fireflies=True))
    if reading.has("embers"):
        passes.append(Sparks(stage, fireflies=False))
    return [*passes, Vignette(stage)]


def fog_bank(stage: Stage, below_horizon: float, tag: str, density: float = 0.75) -> list[Pass]:
    """A bank of fog at a height, if the prompt asks for fog."""
    if not stage.reading.has("fog"):
        return []
    return [Fog(stage, stage.horizon + below_horizon * stage.unit, 0.085, 0.075, density, tag)]


def bloom(stage: Stage, strength: float) -> list[Pass]:
    """Lamps glow in the dark only."""
    return [Bloom(strength)] if stage.reading.time in ("night", "neon", "sunset") else []


def lean(stage: Stage) -> float:
    """1 if the sun stands on the left, -1 on the right: land rises on the other side."""
    return 1.0 if stage.sun_x < stage.width / 2 else -1.0
