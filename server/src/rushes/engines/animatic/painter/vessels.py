"""Vessels drawn every frame: a canoe with its paddler, a ship on the horizon."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb
from rushes.engines.animatic.painter.figure import Group, Points, Pose, bent, draw, limb, rounded
from rushes.engines.animatic.painter.spot import Spot
from rushes.engines.animatic.painter.stage import Stage


class Canoe:
    """Someone who paddles a canoe slowly across still water, and the dim mirror of both."""

    def __init__(self, stage: Stage, spot: Spot, x: float) -> None:
        """At half time it passes column `x`."""
        self._stage, self._spot, self._x = stage, spot, x
        rng = stage.rng("canoe")
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        self._rate = float(rng.uniform(0.45, 0.6))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage, spot = self._stage, self._spot
        t = stage.seconds(i) * stage.tempo
        rest = self._x + self._way * 1.1 * spot.metre * (t - stage.seconds(stage.count) / 2)
        x, y, s = spot.seen(stage, rest, spot.row, i)
        bob = 0.02 * np.sin(1.7 * t)
        groups = self._groups(t)
        mirrored = [Group([_upside_down(o, t) for o in g.outlines], (0.012, 0.012, 0.014)) for g in groups]
        draw(canvas, stage, mirrored, Pose(x, y, spot.metre * s, self._way, 0.35))
        lifted = [Group([o + np.array((0, bob)) for o in g.outlines], g.albedo) for g in groups]
        draw(canvas, stage, lifted, Pose(x, y, spot.metre * s, self._way, spot.haze))

    def _groups(self, t: float) -> list[Group]:
        hull = rounded((-2.5, 0.52), (-2.1, 0.26), (0.0, 0.20), (2.1, 0.26), (2.5, 0.52), (2.15, 0.05), (1.2, -0.08),
                       (-1.2, -0.08), (-2.15, 0.05))  # fmt: skip
        stroke = 2 * np.pi * self._rate * t
        swing, lift = float(np.cos(stroke)), float(np.sin(stroke))
        hip, neck = (-0.55, 0.30), (-0.42 + 0.10 * swing, 0.92)
        low = (0.15 + 0.45 * swing, 0.52 + 0.12 * max(lift, 0))
        high = (low[0] - 0.25 - 0.12 * swing, low[1] + 0.62)
        blade = (low[0] + 0.28 + 0.20 * swing, 0.02 + 0.42 * max(lift, 0))
        coat: Rgb = (0.34, 0.07, 0.04)
        arms = [limb((neck[0], neck[1] - 0.08, 0.07), (*bent((neck[0], neck[1] - 0.08), hand, 0.33, 0.32, -1.0),
            0.05), (*hand, 0.04))
                for hand in (low, high)]  # fmt: skip
        return [
            Group(limb((*high, 0.018), (*blade, 0.022)) + limb((blade[0], blade[1] + 0.16, 0.05), (*blade, 0.085)),
                (0.22, 0.14, 0.07)),
            Group(arms[1], coat),
            Group(limb((*hip, 0.17), (neck[0] - 0.02, neck[1] - 0.2, 0.16), (neck[0], neck[1] - 0.08, 0.10)), coat),
            Group(limb((neck[0], neck[1], 0.06), (neck[0] + 0.05, neck[1] + 0.18, 0.11)), (0.30, 0.17, 0.11)),
            Group([rounded((neck[0] - 0.18, neck[1] + 0.22), (neck[0] + 0.28, neck[1] + 0.22),
                (neck[0] + 0.12, neck[1] + 0.36),
                           (neck[0] - 0.04, neck[1] + 0.36))], (0.16, 0.11, 0.06)),
            Group(arms[0], coat), Group([hull], (0.17, 0.065, 0.025)),
            Group([rounded((-2.35, 0.44), (-2.0, 0.27), (0.0, 0.21), (2.0, 0.27), (2.35, 0.44), (1.9, 0.20),
                (0.0, 0.13), (-1.9, 0.20))],
                  (0.30, 0.18, 0.09)),
        ]  # fmt: skip


def _upside_down(outline: Points, t: float) -> Points:
    """The mirror in the water, swinging more the deeper it seems."""
    swing = 0.05 * np.sin(9 * outline[:, 1] + 2.5 * t) * np.clip(outline[:, 1], 0, 1)
    return np.stack([outline[:, 0] + swing, -0.72 * outline[:, 1] - 0.04], axis=1)


class Ship:
    """A freighter with its bridge aft, far out, drawing slowly past."""

    def __init__(self, stage: Stage, spot: Spot) -> None:
        self._stage, self._spot = stage, spot
        rng = stage.rng("ship")
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        tints: tuple[Rgb, ...] = (
            (0.34, 0.06, 0.04),
            (0.05, 0.11, 0.24),
            (0.30, 0.20, 0.05),
            (0.22, 0.22, 0.22),
            (0.06, 0.20, 0.14),
        )
        self._boxes = [(float(x), int(rng.integers(1, 4)), [tints[int(rng.integers(len(tints)))] for _ in range(3)])
                       for x in np.arange(-48, 60, 6.3)]  # fmt: skip

    def paint(self, canvas: Canvas, i: int) -> None:
        stage, spot = self._stage, self._spot
        t = stage.seconds(i) * stage.tempo
        rest = stage.width * stage.focus + self._way * 6.0 * spot.metre * (t - stage.seconds(stage.count) / 2)
        x, y, s = spot.seen(stage, rest, spot.row, i)
        hull: Group = Group([rounded((-86, 13), (84, 12), (94, 17), (86, 0), (-82, 0), times=1)], (0.055, 0.045, 0.045))
        red = Group([np.array(((-83, 3), (87, 3), (86, 0), (-82, 0)))], (0.24, 0.035, 0.025))
        white = [np.array(((-78, 13), (-60, 13), (-60, 33), (-78, 33))), np.array(((-80, 27), (-56, 27), (-56, 31),
            (-80, 31))),
                 np.array(((-72, 33), (-64, 33), (-66, 42), (-71, 42)))]  # fmt: skip
        glass = [np.array(((-60, row), (-76, row), (-76, row + 1.4), (-60, row + 1.4))) for row in (18.0, 22.0, 28.4)]
        boxes = [
            Group([np.array(((left, 12.5 + 3.4 * n), (left + 6, 12.5 + 3.4 * n), (left + 6, 15.8 + 3.4 * n),
                (left, 15.8 + 3.4 * n)))], tint)
            for left, high, tints in self._boxes for n, tint in zip(range(high), tints, strict=False)
        ]  # fmt: skip
        groups = [*boxes, Group(white, (0.62, 0.60, 0.56)), Group(glass, (0.04, 0.05, 0.07)), hull, red]
        draw(canvas, stage, groups, Pose(x, y, spot.metre * s, self._way, spot.haze, 0.004 * float(np.sin(0.7 * t))))
