"""People: walkers seen from the side, in coats and dresses, alone, in pairs or in a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb
from rushes.engines.animatic.painter.figure import Group, Joint, Points, bent, disc, limb, rounded, step

SKIN: tuple[Rgb, ...] = ((0.42, 0.24, 0.15), (0.52, 0.33, 0.22), (0.20, 0.11, 0.07), (0.33, 0.19, 0.12))
CLOTH: tuple[Rgb, ...] = (
    (0.30, 0.05, 0.04), (0.05, 0.09, 0.20), (0.36, 0.30, 0.20), (0.06, 0.12, 0.10), (0.40, 0.22, 0.05),
    (0.10, 0.10, 0.11), (0.34, 0.34, 0.36),
)  # fmt: skip
HAIR: tuple[Rgb, ...] = ((0.02, 0.015, 0.012), (0.06, 0.03, 0.015), (0.20, 0.12, 0.05), (0.10, 0.10, 0.10))


@dataclass(frozen=True, slots=True)
class Person:
    """How somebody looks. Lengths in metres."""

    tall: float
    coat: Rgb
    legs: Rgb
    skin: Rgb
    hair: Rgb
    skirt: bool = False
    pack: bool = False
    umbrella: bool = False
    stick: bool = False


def somebody(rng: np.random.Generator, *, skirt: bool | None = None, child: bool = False, pack: bool = False,
             umbrella: bool = False) -> Person:  # fmt: skip
    """A person made up by chance."""
    skirt = bool(rng.random() < 0.5) if skirt is None else skirt
    tall = (1.20 if child else 1.68 if skirt else 1.78) * float(rng.uniform(0.96, 1.04))
    coat, legs = rng.permutation(len(CLOTH))[:2]
    return Person(tall, CLOTH[int(coat)], CLOTH[int(legs)], SKIN[int(rng.integers(len(SKIN)))],
                  HAIR[int(rng.integers(len(HAIR)))], skirt, pack, umbrella, stick=pack)  # fmt: skip


def walking(person: Person, phase: float, stride: float, hand: tuple[float, float] | None = None) -> list[Group]:
    """A person in mid-stride; `phase` in steps of two, `stride` in metres (0 stands). `hand` is held by somebody."""
    size = person.tall / 1.75
    bob = 0.018 * np.cos(4 * np.pi * phase) * min(stride, 1)
    hip = (0.0, 0.975 + bob - 0.025 * min(stride, 1))
    far, near = _leg(person, phase + 0.5, stride, hip), _leg(person, phase, stride, hip)
    neck = (0.03 + 0.02 * stride, 1.47 + bob)
    swing = 0.42 * np.sin(2 * np.pi * phase) * min(stride, 1)
    groups = [
        Group(_arm(neck, -swing, None if hand is None or hand[0] < 0 else hand), person.coat),
        Group(far, person.legs), Group(near, person.legs), *_body(person, hip, neck, phase, stride),
    ]  # fmt: skip
    if person.umbrella:
        groups += _umbrella(person, neck)
    else:
        groups.append(Group(_arm(neck, swing, None if hand is None or hand[0] >= 0 else hand), person.coat))
    if person.stick:
        reach = neck[0] + 0.42 + 0.3 * float(np.sin(2 * np.pi * phase))
        groups.append(Group(limb((reach - 0.05, 1.12, 0.012), (reach + 0.05, 0.0, 0.010)), (0.12, 0.08, 0.05)))
    return [Group([outline * size for outline in group.outlines], group.albedo) for group in groups]


def _leg(person: Person, phase: float, stride: float, hip: tuple[float, float]) -> list[Points]:
    x, y = step(phase, 0.62 * stride, 0.10 * min(stride, 1), 0.58)
    ankle = (x - 0.03, y + 0.09)
    knee = bent(hip, ankle, 0.46, 0.45, 1.0)
    tip = 0.5 if y > 0.02 else 0.0
    shoe = limb((ankle[0] - 0.05, y + 0.045, 0.045), (ankle[0] + 0.15, y + 0.035 - 0.06 * tip, 0.034))
    return limb((*hip, 0.095), (*knee, 0.065), (*ankle, 0.042)) + shoe


def _arm(neck: tuple[float, float], swing: float, hand: tuple[float, float] | None) -> list[Points]:
    shoulder = (neck[0] - 0.02, neck[1] - 0.06)
    if hand is None:
        hand = (shoulder[0] + 0.56 * float(np.sin(swing)) + 0.04, shoulder[1] - 0.56 * float(np.cos(swing)))
    elbow = bent(shoulder, hand, 0.31, 0.29, -1.0)
    return limb((*shoulder, 0.065), (*elbow, 0.048), (*hand, 0.036))


def _body(person: Person, hip: tuple[float, float], neck: tuple[float, float], phase: float, stride: float
          ) -> list[Group]:  # fmt: skip
    torso = limb(
        (hip[0], hip[1] + 0.02, 0.125),
        (neck[0] - 0.035, neck[1] - 0.24, 0.140),
        (neck[0] - 0.01, neck[1] - 0.06, 0.095),
    )
    if person.skirt:
        sway = 0.05 * float(np.sin(2 * np.pi * phase)) * min(stride, 1)
        torso.append(rounded((hip[0] - 0.15, hip[1] + 0.1), (hip[0] + 0.16, hip[1] + 0.1),
                             (0.25 + sway, 0.50), (-0.25 + sway, 0.48), times=2))  # fmt: skip
    else:
        torso.append(rounded((hip[0] - 0.17, hip[1] + 0.15), (hip[0] + 0.16, hip[1] + 0.15),
                             (0.17, 0.80), (-0.17, 0.78), times=2))  # fmt: skip
    head = (neck[0] + 0.035, neck[1] + 0.19)
    groups = [Group(torso, person.coat)]
    if person.pack:
        groups.append(Group(limb((neck[0] - 0.22, neck[1] - 0.10, 0.11), (neck[0] - 0.25, neck[1] - 0.40, 0.14)),
                            (0.32, 0.13, 0.03)))  # fmt: skip
    face: list[Joint] = [
        (neck[0], neck[1], 0.055),
        (head[0], head[1] - 0.03, 0.085),
        (head[0] + 0.015, head[1] + 0.02, 0.098),
    ]
    groups.append(Group(limb(*face), person.skin))
    hair = [disc(head[0] - 0.022, head[1] + 0.045, 0.102)]
    if person.skirt:
        hair += limb((head[0] - 0.06, head[1] + 0.03, 0.075), (head[0] - 0.12, head[1] - 0.24, 0.05))
    groups.append(Group(hair, person.hair))
    return groups


def _umbrella(person: Person, neck: tuple[float, float]) -> list[Group]:
    hand, top = (neck[0] + 0.22, neck[1] - 0.20), (neck[0] + 0.14, neck[1] + 0.78)
    arch = np.linspace(0, np.pi, 24)
    dome = np.stack([top[0] + 0.62 * np.cos(arch), top[1] - 0.24 + 0.30 * np.sin(arch) ** 0.8], axis=1)
    waves = np.linspace(-0.62, 0.62, 17)
    edge = np.stack([top[0] + waves, top[1] - 0.24 + 0.05 * np.abs(np.sin(waves / 0.62 * 2 * np.pi))], axis=1)
    return [
        Group(limb((*hand, 0.012), (*top, 0.010)), (0.03, 0.03, 0.03)),
        Group(_arm(neck, 0.4, hand), person.coat),
        Group([np.concatenate([dome, edge])], (0.42, 0.03, 0.03)),
    ]


def mounted(person: Person, x: float, y: float, bob: float) -> list[Group]:
    """A person astride, sitting at (x, y) of the animal's own outline."""
    hip, neck = (x, y + 0.06 + bob), (x + 0.06, y + 0.58 + bob)
    knee, foot = (x + 0.26, y - 0.18), (x + 0.14, y - 0.60)
    head = (neck[0] + 0.04, neck[1] + 0.19)
    brim = rounded((head[0] - 0.22, head[1] + 0.07), (head[0] + 0.22, head[1] + 0.07), (head[0] + 0.22, head[1] + 0.10),
                   (head[0] - 0.22, head[1] + 0.10), times=1)  # fmt: skip
    crown = rounded((head[0] - 0.11, head[1] + 0.08), (head[0] + 0.11, head[1] + 0.08),
        (head[0] + 0.09, head[1] + 0.22),
                    (head[0] - 0.09, head[1] + 0.22), times=1)  # fmt: skip
    return [
        Group(limb((*hip, 0.11), (*knee, 0.085), (*foot, 0.055), (foot[0] + 0.12, foot[1] - 0.03, 0.035)), person.legs),
        Group(limb((*hip, 0.15), (neck[0] - 0.03, neck[1] - 0.24, 0.15), (neck[0], neck[1] - 0.06, 0.10)), person.coat),
        Group(_arm(neck, 0.0, (x + 0.42, y + 0.22)), person.coat),
        Group(limb((neck[0], neck[1], 0.055), (head[0], head[1] - 0.02, 0.09)), person.skin),
        Group([brim, crown], person.hair),
    ]
