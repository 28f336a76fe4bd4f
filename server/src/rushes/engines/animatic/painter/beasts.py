"""Four-legged animals in motion: each foot keeps its print while it bears weight, knees follow, backs and heads nod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb, scaled
from rushes.engines.animatic.painter.figure import Group, Joint, Points, bent, curve, limb, rounded, step
from rushes.engines.animatic.painter.species import Species

Carry = Callable[[float, float], tuple[float, float]]
"""Moves a point of the body as the back rocks."""


@dataclass(frozen=True, slots=True)
class Gait:
    """When the feet come down, in shares of the cycle: far hind, near hind, far fore, near fore."""

    falls: tuple[float, float, float, float]
    ground: float
    """Share of the cycle that a foot bears weight."""
    long: float
    """Length of the stride, of a walking one."""
    lift: float
    """How high feet are lifted, of the leg's length."""
    rock: float
    """Radians that the back pitches to either side."""


STAND = Gait((0.05, 0.55, 0.1, 0.6), 0.999, 0.22, 0.0, 0.0)
WALK = Gait((0.0, 0.5, 0.25, 0.75), 0.62, 1.0, 0.10, 0.008)
TROT = Gait((0.0, 0.5, 0.5, 0.0), 0.46, 1.35, 0.16, 0.012)
GALLOP = Gait((0.0, 0.10, 0.45, 0.58), 0.30, 1.9, 0.34, 0.055)


def gait_for(species: Species, speed: float) -> Gait:
    """The gait in which this animal moves at so many metres per second."""
    if speed <= 0.01:
        return STAND
    if speed < 1.35 * species.pace:
        return WALK
    return TROT if speed < 0.45 * species.run else GALLOP


def cycle(species: Species, gait: Gait, speed: float) -> float:
    """Cycles per second at which the feet do not slide."""
    return speed / (species.stride * 0.62 * gait.long) * gait.ground


def moving(species: Species, gait: Gait, phase: float, nod: float = 0.0) -> list[Group]:
    """The animal in one moment of its gait; `nod` lowers the head (radians)."""
    pitch = gait.rock * float(np.sin(2 * np.pi * (phase + 0.08)))
    bob = 0.35 * gait.rock * float(np.cos(4 * np.pi * phase)) * species.hind[1]
    coat = species.coat

    def carried(x: float, y: float) -> tuple[float, float]:
        return x * float(np.cos(pitch)) - (y - species.hind[1]) * float(np.sin(pitch)), y + bob + x * float(
            np.sin(pitch)
        )

    legs: list[list[Points]] = []
    for n, fall in enumerate(gait.falls):
        fore = n >= 2
        hip = carried(*(species.fore if fore else species.hind))
        legs.append(_leg(species, gait, phase - fall, hip, fore))
    body: list[Points] = limb(*curve(*(_move(joint, carried) for joint in species.torso)))
    sway = nod + 0.5 * pitch + 0.02 * float(np.sin(2 * np.pi * phase))
    root = species.neck[0]
    up = [_nodded(joint, (root[0], root[1]), sway) for joint in (*species.neck, *species.head)]
    chain = [_move(joint, carried) for joint in up]
    body += limb(*curve(*chain))
    ears = [_outline(ear, (root[0], root[1]), sway, carried) for ear in species.ears]
    groups = [
        Group(legs[0] + legs[2], scaled(coat, 0.62)),
        Group(_tail(species, phase, carried), species.tuft or coat),
        Group(legs[1] + legs[3], coat), Group(body + ears, coat),
    ]  # fmt: skip
    return groups + _marks(species, (root[0], root[1]), sway, carried)


def _marks(species: Species, root: tuple[float, float], sway: float, carried: Carry) -> list[Group]:
    groups: list[Group] = []
    if species.crest:
        outlines = [rounded(*map(tuple, _outline(crest, root, sway * 0.6, carried))) for crest in species.crest]
        groups.append(Group(outlines, species.dark))
    if species.horns:
        pale: Rgb = species.bright or species.dark
        horns = [limb(*(_move(_nodded(joint, root, sway), carried) for joint in horn)) for horn in species.horns]
        groups.append(Group([outline for horn in horns for outline in horn], pale))
    return groups


def _leg(species: Species, gait: Gait, phase: float, hip: tuple[float, float], fore: bool) -> list[Points]:
    thick, joint, ankle, foot = species.leg
    tall = (species.fore if fore else species.hind)[1]
    x, y = step(phase, species.stride * 0.62 * gait.long, gait.lift * tall, gait.ground)
    rest = 0.02 * tall if fore else -0.07 * tall
    pastern = (hip[0] + rest + x, y + 0.075 * tall)
    upper, lower = (0.54 * tall, 0.42 * tall) if fore else (0.56 * tall, 0.46 * tall)
    far = float(np.hypot(pastern[0] - hip[0], pastern[1] - hip[1]))
    if far > 0.97 * (upper + lower):
        # The foot leaves the ground early rather than the leg being torn out.
        share = 0.97 * (upper + lower) / far
        pastern = (hip[0] + (pastern[0] - hip[0]) * share, hip[1] + (pastern[1] - hip[1]) * share)
    knee = bent(hip, pastern, upper, lower, 1.0 if fore else -1.0)
    curl = 0.5 if y > 0.02 * tall else 0.0
    toe = (pastern[0] + (0.05 - 0.09 * curl) * tall, pastern[1] - (0.055 - 0.01 * curl) * tall, foot)
    thigh: list[Joint] = [(*hip, thick * (0.72 if fore else 1.0))]
    middle = 0.5
    thigh.append((hip[0] + (knee[0] - hip[0]) * middle, hip[1] + (knee[1] - hip[1]) * middle,
                  (thick * (0.45 if fore else 0.60) + joint * 0.5)))  # fmt: skip
    # Feet are flat: nothing of them reaches below the ground.
    return [np.maximum(outline, (-np.inf, 0.0)) for outline in limb(*thigh, (*knee, joint), (*pastern, ankle), toe)]


def _move(joint: Joint, carried: Carry) -> Joint:
    return (*carried(joint[0], joint[1]), joint[2])


def _nodded(joint: Joint, root: tuple[float, float], angle: float) -> Joint:
    """A joint of head or neck, turned down about the neck's root."""
    x, y = joint[0] - root[0], joint[1] - root[1]
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return root[0] + x * c + y * s, root[1] - x * s + y * c, joint[2]


def _outline(
    points: tuple[tuple[float, float], ...], root: tuple[float, float], angle: float, carried: Carry
) -> Points:
    return np.array([carried(*_nodded((x, y, 0.0), root, angle)[:2]) for x, y in points])


def _tail(species: Species, phase: float, carried: Carry) -> list[Points]:
    if not species.tail:
        return []
    first = species.tail[0]
    swing = 0.10 * float(np.sin(2 * np.pi * phase))
    return limb(*curve(*(_move(_nodded(joint, (first[0], first[1]), swing), carried) for joint in species.tail)))
