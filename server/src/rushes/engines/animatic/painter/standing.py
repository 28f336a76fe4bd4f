"""What stands on a spot: buildings and trees with what moves about them, then people and animals."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.beam import Beam
from rushes.engines.animatic.painter.broadleaf import broadleaf, palm
from rushes.engines.animatic.painter.buildings import LAMP_HEIGHT, cabin, castle, lighthouse, windmill
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.colour import Rgb
from rushes.engines.animatic.painter.layers import LayerPass
from rushes.engines.animatic.painter.machines import Sails
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.steam import Steam
from rushes.engines.animatic.painter.subjects import BUILDINGS, GROUNDED, TREES, Subject
from rushes.engines.animatic.painter.trees import Tree, lone_tree
from rushes.engines.animatic.painter.walkers import walkers

LEAF: dict[str, tuple[Rgb, ...]] = {
    "green": ((0.075, 0.125, 0.022), (0.10, 0.15, 0.03), (0.055, 0.10, 0.025)),
    "autumn": ((0.50, 0.175, 0.018), (0.56, 0.30, 0.025), (0.36, 0.055, 0.018), (0.44, 0.23, 0.03)),
    "blossom": ((0.70, 0.34, 0.44), (0.78, 0.48, 0.56), (0.62, 0.26, 0.40)),
    "dry": ((0.115, 0.115, 0.032), (0.15, 0.13, 0.04)),
    "palm": ((0.060, 0.115, 0.025),),
}
"""Colours of leaves per season."""


def needs_ground(stage: Stage) -> bool:
    """Whether the prompt names anything that has to stand somewhere."""
    return bool(stage.reading.named(*GROUNDED))


def season(stage: Stage, name: str = "oak") -> str:
    """A key of LEAF."""
    reading = stage.reading
    if name == "palm":
        return "palm"
    if name == "blossom" or reading.has("spring"):
        return "blossom"
    if reading.has("autumn", "leaves"):
        return "autumn"
    return "dry" if reading.has("savanna") else "green"


def standing(stage: Stage, spot: Spot, *, buildings: bool = True, others: bool = True) -> list[Pass]:
    """Everything grounded that the prompt names, buildings behind trees behind whoever walks; or only some of it."""
    passes: list[Pass] = []
    taken = 0
    for subject in stage.reading.named(*BUILDINGS):
        if buildings:
            passes += _building(stage, spot, subject, _aside(stage, taken))
        taken += 1
    for subject in stage.reading.named(*TREES) if others else ():
        passes += _trees(stage, spot, subject, _aside(stage, taken))
        taken += 1
    return [*passes, *walkers(stage, spot)] if others else passes


def _aside(stage: Stage, taken: int) -> float:
    """A column for the next still thing: the first where the eye falls, the second on the other side."""
    share = stage.focus if taken == 0 else 1.0 - stage.focus * 0.9
    if stage.reading.has("cliffs") and stage.reading.biome == "ocean":
        # Out where the rocks are high.
        share = 0.78 if stage.focus > 0.5 else 0.22
    if taken == 0 and stage.reading.named("person", "horse", "deer", "rider"):
        share = 1.06 - stage.focus
    return stage.width * share


def _building(stage: Stage, spot: Spot, subject: Subject, x: float) -> list[Pass]:
    share, high = {"castle": (0.16, 50), "windmill": (0.62, 24), "lighthouse": (0.50, 36), "cabin": (0.58, 9)}[
        subject.name
    ]
    # Nothing reaches over the upper edge, however high the ground is.
    metre = min(spot.metre * share, max(spot.ground(x) - 0.04 * stage.height, 8) / high)
    small = Spot(spot.row, spot.k, metre, spot.haze, 0.0, spot.ridge, spot.left)
    match subject.name:
        case "cabin":
            chimney = (small.ground(x), 2.2)

            def mouth(t: float) -> tuple[float, float, float]:
                i = int(np.clip(round(t * stage.fps), 0, stage.count - 1))
                row = chimney[0] - 7.1 * small.metre
                column, line, s = small.seen(stage, x + chimney[1] * small.metre, row, i)
                return column, line, small.metre * s

            smoke = Steam(stage, mouth, "chimney", rate=7, life=5.0, size=1.9, rise=1.5, strength=0.30, white=0.75)
            return [smoke, LayerPass(stage, cabin(stage, small, x))]
        case "castle":
            return [LayerPass(stage, castle(stage, small, x))]
        case "windmill":
            return [LayerPass(stage, windmill(stage, small, x)), Sails(stage, small, x)]
        case _:
            return [LayerPass(stage, lighthouse(stage, small, x)), Beam(stage, small, x, LAMP_HEIGHT)]


def _trees(stage: Stage, spot: Spot, subject: Subject, x: float) -> list[Pass]:
    rng = stage.rng("lone trees")
    many = subject.count > 1 or subject.name == "palm"
    colours = LEAF[season(stage, subject.name)]
    metres = {"oak": 7.2, "blossom": 5.2, "palm": 6.6}[subject.name]
    places = [0.0, *(float(rng.uniform(-0.52, 0.52)) for _ in range(4 if many else 0))]
    passes: list[Pass] = []
    for n, away in sorted(enumerate(places), key=lambda place: -abs(place[1])):
        column = float(np.clip(x + away * stage.width, 0.04 * stage.width, 0.96 * stage.width))
        size = metres * spot.metre * float(rng.uniform(0.85, 1.15)) * (1.0 if n == 0 else 0.72)
        tree = tree_of(stage, subject, rng, int(np.clip(size, 40, 1000)))
        colour = colours[int(rng.integers(len(colours)))]
        layer = lone_tree(
            stage, tree, size, (column, spot.ground(column)), (spot.k, spot.haze), colour, f"{subject.name} {n}"
        )
        passes.append(LayerPass(stage, layer))
    return passes


def tree_of(stage: Stage, subject: Subject, rng: np.random.Generator, tall: int) -> Tree:
    """One tree of the kind the prompt names."""
    if subject.name == "palm":
        return palm(rng, tall)
    bare = stage.reading.has("snow", "snowfall") and subject.name == "oak"
    flat = subject.word.startswith(("acacia", "baobab")) or (stage.reading.has("savanna") and subject.name == "oak")
    return broadleaf(rng, tall, bare=bare, flat=flat)
