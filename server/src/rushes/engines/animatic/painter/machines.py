"""Machines that move: a windmill's sails and a steam train."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb
from rushes.engines.animatic.painter.figure import Group, Points, Pose, disc, draw, limb, rounded
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage

HUB = 12.4
"""Metres from a windmill's foot to its hub."""


class Sails:
    """Four lattice sails turning before a windmill's cap."""

    def __init__(self, stage: Stage, spot: Spot, x: float) -> None:
        self._stage, self._spot, self._x = stage, spot, x
        self._row = spot.ground(x) - HUB * spot.metre
        rng = stage.rng("sails")
        self._start = float(rng.uniform(0, 1.5))
        self._rate = 1.5 if stage.reading.has("wind", "storm") else 0.75

    def paint(self, canvas: Canvas, i: int) -> None:
        x, y, s = self._spot.seen(self._stage, self._x, self._row, i)
        t = self._stage.seconds(i) * self._stage.tempo
        angle = self._start + self._rate * t
        dark: list[Points] = []
        cloth: list[Points] = []
        for n in range(4):
            turn = angle + n * np.pi / 2
            out, side = np.array((np.cos(turn), np.sin(turn))), np.array((-np.sin(turn), np.cos(turn)))
            dark.append(
                np.array(
                    [out * 0.2 - side * 0.14, out * 9.6 - side * 0.10, out * 9.6 + side * 0.10, out * 0.2 + side * 0.14]
                )
            )
            cloth.append(
                np.array(
                    [out * 2.0 + side * 0.2, out * 9.4 + side * 0.2, out * 9.4 + side * 1.75, out * 2.0 + side * 1.5]
                )
            )
            for bar in np.linspace(2.0, 9.4, 8):
                dark.append(
                    np.array([out * bar, out * (bar + 0.14), out * (bar + 0.14) + side * 1.75, out * bar + side * 1.75])
                )
        dark.append(disc(0, 0, 0.55))
        groups = [Group(cloth, (0.52, 0.46, 0.38)), Group(dark, (0.075, 0.045, 0.03))]
        draw(canvas, self._stage, groups, Pose(x, y, self._spot.metre * s, 1.0, self._spot.haze))


class Train:
    """A steam engine with tender and coaches; it runs along the spot's row, smoke behind it (steam.py)."""

    SPEED = 11.0
    CHIMNEY = (5.4, 4.4)
    """Ahead of the engine's middle, above the rails."""

    def __init__(self, stage: Stage, spot: Spot) -> None:
        self._stage, self._spot = stage, spot
        rng = stage.rng("train")
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        moves = stage.reading.moves
        if "left" in moves or "right" in moves:
            self._way = 1.0 if "right" in moves else -1.0
        self._coach: Rgb = ((0.20, 0.030, 0.025), (0.035, 0.075, 0.045), (0.045, 0.055, 0.105))[int(rng.integers(3))]
        self._lit = stage.reading.time in ("night", "sunset", "dawn", "overcast", "neon")

    def _at(self, t: float) -> float:
        """Column at rest of the engine's middle; at half time the train is in the middle of the frame."""
        speed = min(self.SPEED * min(self._stage.tempo, 2), 0.5 * self._stage.width / self._spot.metre / 5)
        middle = self._stage.width * (0.5 + 0.16 * self._way)
        return middle + self._way * speed * self._spot.metre * (t - self._stage.seconds(self._stage.count) / 2)

    def chimney(self, t: float) -> tuple[float, float, float]:
        """Where the smoke leaves at a moment, in the frame of that moment, and pixels per metre."""
        i = int(np.clip(round(t * self._stage.fps), 0, self._stage.count - 1))
        x, y, s = self._spot.seen(self._stage, self._at(t), self._spot.row, i)
        metre = self._spot.metre * s
        return x + self._way * self.CHIMNEY[0] * metre, y - self.CHIMNEY[1] * metre, metre

    def paint(self, canvas: Canvas, i: int) -> None:
        t = self._stage.seconds(i)
        x, y, s = self._spot.seen(self._stage, self._at(t), self._spot.row, i)
        turn = t * self.SPEED / 0.9
        groups = [*_engine(turn), *self._coaches(turn)]
        draw(canvas, self._stage, groups, Pose(x, y, self._spot.metre * s, self._way, self._spot.haze))

    def _coaches(self, turn: float) -> list[Group]:
        tender = [np.array(((-11.4, 0.9), (-5.6, 0.9), (-5.6, 3.2), (-11.4, 3.2)))]
        bodies: list[Points] = []
        panes: list[Points] = []
        roofs: list[Points] = []
        wheels = [disc(x, 0.5, 0.5, 12) for x in (-10.4, -8.5, -6.6)]
        for n in range(5):
            right = -12.2 - 18.6 * n
            left = right - 17.8
            bodies.append(np.array(((left, 0.9), (right, 0.9), (right, 3.7), (left, 3.7))))
            roofs.append(rounded((left - 0.2, 3.6), (right + 0.2, 3.6), (right - 0.3, 4.2), (left + 0.3, 4.2), times=1))
            panes += [
                np.array(((a, 2.2), (a + 1.1, 2.2), (a + 1.1, 3.25), (a, 3.25)))
                for a in np.arange(left + 0.9, right - 1.2, 1.72)
            ]
            wheels += [disc(left + at, 0.5, 0.5, 12) for at in (1.8, 4.0, 13.8, 16.0)]
        glass: Rgb = (3.5, 2.0, 0.8) if self._lit else (0.05, 0.06, 0.08)
        return [Group(wheels, (0.02, 0.02, 0.02)), Group(tender, (0.028, 0.028, 0.030)), Group(bodies, self._coach),
                Group(panes, glass), Group(roofs, (0.16, 0.15, 0.14))]  # fmt: skip


def _engine(turn: float) -> list[Group]:
    black: Rgb = (0.030, 0.030, 0.032)
    boiler = [
        *limb((-1.6, 2.55, 0.98), (5.9, 2.55, 0.90)),
        np.array(((-5.0, 1.0), (6.6, 1.0), (6.6, 1.6), (-5.0, 1.6))),
    ]
    cab = [
        np.array(((-5.2, 1.0), (-2.2, 1.0), (-2.2, 4.05), (-5.2, 4.05))),
        np.array(((-5.6, 3.95), (-1.8, 3.95), (-1.9, 4.3), (-5.5, 4.3))),
    ]
    tall = [np.array(((5.05, 3.2), (5.75, 3.2), (5.9, 4.4), (4.9, 4.4))), rounded((1.6, 3.3), (2.6, 3.3),
        (2.5, 4.0), (1.7, 4.0)),
            rounded((-0.7, 3.3), (0.3, 3.3), (0.2, 3.85), (-0.6, 3.85))]  # fmt: skip
    front = [np.array(((6.4, 0.9), (7.3, 0.35), (7.3, 0.25), (6.2, 0.25)))]
    wheels = [disc(x, 0.92, 0.92, 22) for x in (-2.9, -0.9, 1.1)] + [disc(x, 0.5, 0.5, 14) for x in (3.6, 5.2, -4.8)]
    crank = (0.42 * float(np.cos(turn)), 0.42 * float(np.sin(turn)))
    rods = [*limb((-2.9 + crank[0], 0.92 + crank[1], 0.09), (1.1 + crank[0], 0.92 + crank[1], 0.09)),
            *limb((1.1 + crank[0], 0.92 + crank[1], 0.08), (4.4, 1.0, 0.08))]  # fmt: skip
    return [
        Group(boiler + tall + front, black), Group(cab, (0.040, 0.040, 0.045)),
        Group([np.array(((-4.6, 2.7), (-3.0, 2.7), (-3.0, 3.6), (-4.6, 3.6)))], (0.9, 0.45, 0.12)),
        Group(wheels, (0.11, 0.020, 0.016)),
            Group([disc(x, 0.92, 0.62, 18) for x in (-2.9, -0.9, 1.1)], (0.025, 0.022, 0.022)),
        Group(rods, (0.30, 0.29, 0.28)),
    ]  # fmt: skip
