"""Figures: living things and machines put together from limbs, each drawn anew every frame and lit by the scene's sun.

Outlines are counted in metres, x ahead and y up, from the point on the ground below the figure's middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import hypot

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array, film, to_yuv
from rushes.engines.animatic.painter.raster import (
    Field,
    Plane,
    as_bytes,
    blurred,
    fill_all,
    resized,
    single,
    sixteenths,
)
from rushes.engines.animatic.painter.stage import Stage

Points = NDArray[np.float64]
Joint = tuple[float, float, float]
"""A point of a limb and its half thickness there: (x, y, radius)."""

DETAIL = 260
"""Figures smaller than this many pixels are drawn at twice their size and averaged."""


@dataclass(frozen=True, slots=True)
class Group:
    """Outlines of one colour; later groups cover earlier ones."""

    outlines: list[Points]
    albedo: Rgb


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a figure is drawn: the pixel of its ground point, its size, the way it looks, and the air before it."""

    x: float
    y: float
    metre: float
    """Pixels per metre."""
    way: float = 1.0
    """1 looks to the right, -1 to the left."""
    haze: float = 0.0
    turn: float = 0.0
    """Radians, nose up, about the ground point."""
    sunk: float = 0.0
    """Metres at the foot that grass, snow or water hides."""


def disc(x: float, y: float, radius: float, corners: int = 20) -> Points:
    """A circle as a polygon."""
    return _circle(corners) * radius + (x, y)


@cache
def _circle(corners: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def limb(*joints: Joint) -> list[Points]:
    """A chain of round joints with straight tapering sides between them."""
    outlines: list[Points] = []
    for (x0, y0, r0), (x1, y1, r1) in pairwise(joints):
        long = hypot(x1 - x0, y1 - y0)
        if long < 1e-6:
            continue
        ax, ay = (y0 - y1) / long, (x1 - x0) / long
        outlines.append(np.array(((x0 + ax * r0, y0 + ay * r0), (x1 + ax * r1, y1 + ay * r1),
                                  (x1 - ax * r1, y1 - ay * r1), (x0 - ax * r0, y0 - ay * r0))))  # fmt: skip
    return outlines + [disc(x, y, radius, 14 if radius < 0.1 else 24) for x, y, radius in joints]


def curve(*joints: Joint, times: int = 2) -> list[Joint]:
    """More joints between these, on a smooth line through all of them (Catmull and Rom, 1974)."""
    points = np.array(joints)
    if len(points) < 3:
        return list(joints)
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    line: list[Joint] = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for t in np.linspace(0, 1, times + 1)[:-1]:
            x, y, r = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            line.append((float(x), float(y), max(float(r), 0.004)))
    return [*line, joints[-1]]


def rounded(*corners: tuple[float, float], times: int = 2) -> Points:
    """A closed outline with its corners cut (G. Chaikin, 1974)."""
    points = np.array(corners, np.float64)
    for _ in range(times):
        after = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], axis=1).reshape(-1, 2)
    return points


def bent(hip: tuple[float, float], foot: tuple[float, float], upper: float, lower: float, side: float
         ) -> tuple[float, float]:  # fmt: skip
    """The knee between hip and foot, ahead of their line for side 1 and behind it for -1; straight if out of reach."""
    dx, dy = foot[0] - hip[0], foot[1] - hip[1]
    far = min(max(float(np.hypot(dx, dy)), 1e-6), 0.999 * (upper + lower))
    along = (far**2 + upper**2 - lower**2) / (2 * far)
    out = float(np.sqrt(max(upper**2 - along**2, 0.0)))
    ux, uy = dx / float(np.hypot(dx, dy) or 1.0), dy / float(np.hypot(dx, dy) or 1.0)
    return hip[0] + along * ux - side * out * uy, hip[1] + along * uy + side * out * ux


def step(phase: float, stride: float, lift: float, ground: float) -> tuple[float, float]:
    """A foot's place in its cycle (0..1): on the ground for the share `ground`, then lifted and brought ahead."""
    phase %= 1.0
    if phase < ground:
        return stride * (0.5 - phase / ground), 0.0
    swing = (phase - ground) / (1 - ground)
    eased = swing * swing * (3 - 2 * swing)
    return stride * (eased - 0.5), lift * float(np.sin(np.pi * swing)) ** 1.2


def draw(canvas: Canvas, stage: Stage, groups: Sequence[Group], pose: Pose, grain: float = 0.0) -> None:
    """Draw a figure; what lies outside the canvas is cut off. `grain` shifts the ragged edge where it is sunk."""
    every = [outline for group in groups for outline in group.outlines]
    screen = _on_screen(np.concatenate(every), pose)
    left, top = (max(int(np.floor(value)) - 3 & ~1, 0) for value in screen.min(axis=0))
    right, bottom = (int(np.ceil(value)) + 4 & ~1 for value in screen.max(axis=0))
    right, bottom = min(right, canvas.width & ~1), min(bottom, canvas.height & ~1)
    if right - left < 4 or bottom - top < 4:
        return
    fine = 2 if max(right - left, bottom - top) < DETAIL else 1
    size = ((bottom - top) * fine, (right - left) * fine)
    alpha, picked = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    ends = np.cumsum([len(outline) for outline in every])[:-1]
    pixels = np.split(sixteenths((screen - (left, top)) * fine), ends)
    first = 0
    for n, group in enumerate(groups):
        shapes = pixels[first : first + len(group.outlines)]
        first += len(group.outlines)
        fill_all(alpha, shapes, 255)
        fill_all(picked, shapes, n, soft=False)
    cover = single(resized(alpha, (right - left, bottom - top), area=True) / np.float32(255))
    if pose.sunk > 0:
        cover = cover * _grown_over(left, top, cover.shape, pose, grain)
    tones = _tones(stage, [group.albedo for group in groups], pose.haze)
    _lay(canvas, (left, top), cover, picked, tones, _shade(stage, cover, left, top, pose.metre))


def _on_screen(points: Points, pose: Pose) -> Points:
    c, s = float(np.cos(pose.turn)) * pose.metre, float(np.sin(pose.turn)) * pose.metre
    return points @ np.array([[pose.way * c, -s], [-pose.way * s, -c]]) + (pose.x, pose.y)


def _lay(canvas: Canvas, at: tuple[int, int], cover: Field, picked: Plane, tones: tuple[Field, Field], shade: Field
         ) -> None:  # fmt: skip
    """Blend in the picked colours, each between its dark and its lit tone, plane by plane."""
    dark, lit = tones
    left, top = at
    height, width = cover.shape
    small = (width // 2, height // 2)
    half_cover, half_shade = (resized(part, small, area=True) for part in (cover, shade))
    for n, plane in enumerate((canvas.y, canvas.u, canvas.v)):
        size = small if n else (width, height)
        share, light = (half_cover, half_shade) if n else (cover, shade)
        low, high = (resized(np.take(as_bytes(table[:, n]), picked), size, area=True) for table in (dark, lit))
        window = plane[top // 2 : top // 2 + size[1], left // 2 : left // 2 + size[0]] if n else plane[
            top : top + height, left : left + width]  # fmt: skip
        colour = low + (high.astype(np.float32) - low) * light
        window[:] = as_bytes(window + (colour - window) * share)


def _tones(stage: Stage, albedos: list[Rgb], haze: float) -> tuple[Field, Field]:
    """The shaded and the lit tone of each colour as Y, U, V: two tables (n, 3)."""
    light = stage.light
    low = light.sun_height < 0.2 and light.glow > 0.5
    shaded = array(light.fill) * (0.75 if low else 1.15) + array(light.key) * (0.03 if low else 0.20)
    bright = array(light.fill) * 1.4 + array(light.key) * (0.85 if low else 0.70)
    tables: list[Field] = []
    for shine in (shaded, bright):
        rgb = np.stack([array(albedo) * shine for albedo in albedos])
        rgb = rgb + (array(light.haze) - rgb) * np.float32(haze)
        tables.append(to_yuv(film(single(rgb)[None]))[0])
    return tables[0], tables[1]


def _shade(stage: Stage, cover: Field, left: int, top: int, metre: float) -> Field:
    """How far each point turns to the sun, 0..1, from the figure's outline as if it were round."""
    height, width = cover.shape
    dx, dy = stage.sun_x - left - width / 2, stage.sun_y - top - height / 2
    away = float(np.hypot(dx, dy)) or 1.0
    wide = min(max(0.10 * metre, 1.0), 40.0)
    small = max(1, int(wide / 3))
    coarse = resized(cover, (max(width // small, 2), max(height // small, 2)), area=True)
    soft = resized(blurred(coarse, max(wide / small * 0.6, 0.5)), (width, height))
    broad = _slope(soft, dx / away, dy / away, max(1, int(wide * 0.5)))
    fine = _slope(cover, dx / away, dy / away, max(1, round(0.012 * metre)))
    base = 0.10 if stage.light.sun_height < 0.2 else 0.34
    return single(np.clip(base + 0.9 * broad + 0.55 * np.maximum(fine, 0), 0, 1))


def _slope(field: Field, dx: float, dy: float, reach: int) -> Field:
    """How much the field falls towards (dx, dy) over `reach` pixels."""
    down, right = round(dy * reach), round(dx * reach)
    pad = reach + 1
    wide = np.pad(field, pad)
    height, width = field.shape
    ahead = wide[pad + down : pad + down + height, pad + right : pad + right + width]
    return single(field - ahead)


def _grown_over(left: int, top: int, shape: tuple[int, ...], pose: Pose, grain: float) -> Field:
    """1 above the ragged line of grass or foam at the foot, 0 below it."""
    columns = np.arange(left, left + shape[1])
    ragged = 0.5 + 0.5 * np.sin(columns * 0.9 + 5.1 * np.sin(columns * 0.23 + grain)) * np.sin(columns * 0.37 + grain)
    line = pose.y - pose.sunk * pose.metre * (0.35 + 0.65 * ragged)
    rows = np.arange(top, top + shape[0])[:, None]
    return single(np.clip((line[None, :] - rows) / max(0.03 * pose.metre, 1.0) + 0.5, 0, 1))


def shadow(canvas: Canvas, stage: Stage, pose: Pose, long: float, tall: float, strength: float = 0.45) -> None:
    """A soft shadow on the ground: an ellipse `long` metres wide, drawn out away from the sun by a thing `tall`."""
    light = stage.light
    if light.sun_size == 0 and light.glow < 0.5:
        strength *= 0.5
    height = 2 * max(int(0.10 * long * pose.metre), 2)
    reach = float(np.clip(0.5 * tall / max(light.sun_height, 0.12), 0, 3 * tall)) * pose.metre
    away = float(np.sign(pose.x - stage.sun_x)) * min(abs(pose.x - stage.sun_x) / stage.unit, 1.0)
    width = int(long * pose.metre + abs(away) * reach)
    if width < 4:
        return
    x = np.linspace(-1, 1, width)[None, :]
    y = np.linspace(-1, 1, height)[:, None]
    mask = np.clip(1.1 - np.hypot(x, y), 0, 1) ** 0.8 * strength
    left = int(pose.x + away * reach / 2 - width / 2)
    _darken(canvas, single(mask), left, int(pose.y - height / 2))


def _darken(canvas: Canvas, mask: Field, left: int, top: int) -> None:
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], canvas.width), min(top + mask.shape[0], canvas.height)
    if x1 <= x0 or y1 <= y0:
        return
    cut = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    window: Plane = canvas.y[y0:y1, x0:x1]
    window[:] = as_bytes(window * (1 - cut))
