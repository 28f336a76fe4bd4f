"""People and animals that walk, run or stand in a scene, each in a gait of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rushes.engines.animatic.painter.beasts import cycle, gait_for, moving
from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.figure import Group, Pose, draw, shadow
from rushes.engines.animatic.painter.people import Person, mounted, somebody, walking
from rushes.engines.animatic.painter.species import SPECIES, Species
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.subjects import WALKERS, Subject

WALK = 1.35
"""Metres per second of a person."""
MOST_TRAVEL = 0.62
"""Of the frame's width in one clip; what would be faster is shown in slow motion."""


@dataclass(frozen=True, slots=True)
class _Actor:
    """One of the walkers. `behind` and `down` place it in the group: metres back along the way, pixels nearer to us."""

    species: Species | None
    person: Person | None
    behind: float
    down: float
    size: float
    phase: float
    hand: tuple[float, float] | None = None


class Walkers:
    """One subject's walkers, crossing the middle of the frame at half time."""

    def __init__(self, stage: Stage, spot: Spot, subject: Subject, shift: float = 0.0) -> None:
        """`shift` moves the group sideways, in frame widths."""
        self._stage, self._spot = stage, spot
        rng = stage.rng("walkers " + subject.name)
        self._rng = rng
        moves = stage.reading.moves
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        if "left" in moves or "right" in moves:
            self._way = 1.0 if "right" in moves else -1.0
        self._actors = self._cast(subject)
        long = max(actor.behind for actor in self._actors)
        small = self._actors[0].species is not None and self._ground(self._actors[0])[1] < 1.0
        wanted = 1.6 if small and spot.metre < 0.1 * stage.unit else 1.0
        spot = self._spot = _moved(stage, spot, min(wanted, 0.50 * stage.width / ((long + 1) * spot.metre)))
        self._wanted = self._pace(subject)
        most = MOST_TRAVEL * stage.width / spot.metre / (stage.count / stage.fps)
        self._speed = min(self._wanted * min(stage.tempo, 1.5), most)
        lead = stage.focus + shift + self._way * 0.5 * long * spot.metre / stage.width
        self._middle = stage.width * float(np.clip(lead, 0.12, 0.88))
        self._grain = float(rng.uniform(0, 6))

    def _pace(self, subject: Subject) -> float:
        """Metres per second that the words ask for."""
        reading = self._stage.reading
        species = SPECIES.get("horse" if subject.name == "rider" else subject.name)
        walk, run = (species.pace, 0.75 * species.run) if species else (WALK, 3.2)
        if reading.has("standing"):
            return 0.0
        if subject.name == "deer" and not reading.has("running", "walking", "trotting"):
            return 0.0
        return run if reading.has("running") else 1.7 * walk if reading.has("trotting") else walk

    def _cast(self, subject: Subject) -> list[_Actor]:
        if subject.name != "rider" and subject.name not in SPECIES:
            return self._people(subject)
        rng = self._rng
        species = SPECIES["horse" if subject.name == "rider" else subject.name]
        long = max(joint[0] for joint in species.head) - min(joint[0] for joint in species.torso) + 0.35
        actors: list[_Actor] = []
        for n in range(subject.count):
            mounted_one = subject.name == "rider" or (subject.name == "camel" and subject.count > 1 and n % 2 == 0)
            person = somebody(rng, skirt=False) if mounted_one else None
            young = n and subject.count > 2 and n == subject.count - 1 and person is None
            actors.append(_Actor(
                replace(species, coat=_varied(rng, species.coat)), person, n * long * float(rng.uniform(1.05, 1.4)),
                float(rng.uniform(-0.25, 0.25)) if n else 0.0, 0.6 if young else float(rng.uniform(0.92, 1.06)),
                float(rng.random()),
            ))  # fmt: skip
        return actors

    def _people(self, subject: Subject) -> list[_Actor]:
        rng = self._rng
        reading = self._stage.reading
        pack = subject.word.startswith(("hik", "backpack", "travel", "explor", "climb", "wander", "pilgrim"))
        umbrella = reading.has("rain", "umbrella")
        if subject.count == 2:
            first = replace(somebody(rng, skirt=False, umbrella=umbrella), stick=False)
            second = somebody(rng, skirt=subject.word.startswith(("couple", "lover", "man", "woman")) or None)
            return [_Actor(None, first, 0.0, 0.0, 1.0, 0.0, (-0.26, 0.82)),
                    _Actor(None, second, 0.54, 0.02, 1.0, 0.08, (0.27, 0.82))]  # fmt: skip
        female = subject.word.startswith(("woman", "women", "girl", "bride", "dancer"))
        male = subject.word.startswith(("man", "men", "boy", "monk", "samurai", "knight", "soldier", "fisher"))
        child = subject.word.startswith(("child", "kid", "girl", "boy"))
        skirt = True if female else False if male or pack else None
        return [
            _Actor(None, somebody(rng, skirt=skirt, child=child, pack=pack, umbrella=umbrella and n % 2 == 0),
                   n * float(rng.uniform(0.8, 1.5)), float(rng.uniform(-0.2, 0.2)) if n else 0.0, 1.0,
                   float(rng.random()))
            for n in range(subject.count)
        ]  # fmt: skip

    def paint(self, canvas: Canvas, i: int) -> None:
        # Nearer ones cover those farther off.
        for actor in sorted(self._actors, key=lambda one: one.down):
            self._one(canvas, actor, i)

    def _one(self, canvas: Canvas, actor: _Actor, i: int) -> None:
        stage, spot = self._stage, self._spot
        t = stage.seconds(i) - stage.seconds(stage.count) / 2
        rest = self._middle + self._way * (self._speed * t - actor.behind) * spot.metre
        down = 0.0 if spot.ridge is not None else actor.down * spot.metre
        x, y, s = spot.seen(stage, rest, spot.ground(rest) + down, i)
        size = spot.metre * s * actor.size
        rises = spot.slope(rest, max(0.4 * spot.metre, 2.0)) * self._way if actor.species is not None else 0.0
        pose = Pose(x, y + 0.02 * size, size, self._way, spot.haze, 0.8 * rises, spot.sunk / actor.size)
        if not -4 * size < x < canvas.width + 4 * size:
            return
        if spot.sunk == 0:
            shadow(canvas, stage, pose, *self._ground(actor))
        draw(canvas, stage, self._groups(actor, stage.seconds(i)), pose, self._grain)

    @staticmethod
    def _ground(actor: _Actor) -> tuple[float, float]:
        """Length and height of what throws a shadow, in metres."""
        if actor.species is None:
            return 0.7, 1.7
        torso = actor.species.torso
        return torso[-1][0] - torso[0][0] + 0.6, torso[0][1] + torso[0][2]

    def _groups(self, actor: _Actor, t: float) -> list[Group]:
        speed = self._speed / actor.size
        if actor.species is None:
            person = actor.person
            if person is None:
                return []
            stride = min(speed / WALK, 1.5) if self._speed > 0.05 else 0.0
            return walking(person, actor.phase + t * speed / (2 * 0.62 * max(stride, 0.1)) * 1.16, stride, actor.hand)
        gait = gait_for(actor.species, self._wanted)
        phase = actor.phase + t * cycle(actor.species, gait, speed)
        nod = 0.06 * float(np.sin(0.9 * t + 6 * actor.phase)) if self._speed <= 0.05 else 0.0
        groups = moving(actor.species, gait, phase, nod)
        if actor.person is not None:
            groups += mounted(actor.person, *_seat(actor.species), 0.03 * float(np.sin(4 * np.pi * phase)))
        return groups


def _moved(stage: Stage, spot: Spot, share: float) -> Spot:
    """The spot as much farther off as makes a long group fit into the frame, or nearer for small animals."""
    row = spot.row if spot.ridge is not None else stage.horizon + (spot.row - stage.horizon) * share
    row = min(row, max(spot.row, 0.92 * stage.height))
    return replace(spot, metre=spot.metre * share, row=row)


def _seat(species: Species) -> tuple[float, float]:
    """Where one sits on it."""
    highest = max((y for crest in species.crest for x, y in crest if abs(x) < 0.3), default=0.0)
    return -0.08, max(highest, species.torso[1][1] + species.torso[1][2])


def _varied(rng: np.random.Generator, coat: tuple[float, float, float]) -> tuple[float, float, float]:
    gain = float(rng.uniform(0.75, 1.3))
    return coat[0] * gain, coat[1] * gain, coat[2] * gain


def walkers(stage: Stage, spot: Spot) -> list[Walkers]:
    """Everybody the prompt names who walks, farthest first."""
    named = stage.reading.named(*WALKERS)
    shifts = (0.0, -0.24, 0.22) if stage.focus > 0.5 else (0.0, 0.24, -0.22)
    return [Walkers(stage, spot, subject, shift) for subject, shift in zip(named, shifts, strict=False)][::-1]
