"""A field of wheat or grass seen from standing height: thousands of stalks, and wind that runs over them in waves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array, dither, film, to_yuv
from rushes.engines.animatic.painter.noise import fraction, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.raster import (
    Field,
    Floats,
    Plane,
    as_bytes,
    product,
    resized,
    sampled,
    single,
    strokes,
)
from rushes.engines.animatic.painter.stage import Stage

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Crop:
    """What grows: the ground between, two tones of the stalks, whether they bear ears, and flowers if any."""

    ground: Rgb
    tone: Rgb
    other: Rgb
    ears: bool = False
    flowers: tuple[Rgb, ...] = ()


CROPS: dict[str, Crop] = {
    "wheat": Crop((0.235, 0.150, 0.048), (0.50, 0.285, 0.065), (0.62, 0.42, 0.15), ears=True),
    "grass": Crop((0.060, 0.098, 0.022), (0.125, 0.205, 0.042), (0.20, 0.25, 0.070)),
    "dry": Crop((0.190, 0.125, 0.045), (0.36, 0.235, 0.075), (0.46, 0.33, 0.13)),
    "autumn": Crop((0.150, 0.095, 0.030), (0.30, 0.190, 0.045), (0.36, 0.25, 0.075)),
    "lavender": Crop((0.050, 0.060, 0.030), (0.190, 0.105, 0.36), (0.30, 0.18, 0.46), ears=True),
    "flowers": Crop((0.055, 0.090, 0.022), (0.115, 0.190, 0.042), (0.18, 0.23, 0.065),
                    flowers=((0.62, 0.035, 0.02), (0.78, 0.55, 0.05), (0.80, 0.78, 0.74), (0.34, 0.14, 0.50))),
    "poppies": Crop((0.055, 0.090, 0.022), (0.115, 0.190, 0.042), (0.18, 0.23, 0.065), flowers=((0.66, 0.03, 0.015),)),
    "sunflowers": Crop((0.050, 0.085, 0.020), (0.105, 0.175, 0.040), (0.16, 0.21, 0.06), flowers=((0.84, 0.52, 0.02),)),
}  # fmt: skip


def crop_for(stage: Stage) -> Crop:
    """The crop that a prompt's words plant."""
    reading = stage.reading
    for mark in ("wheat", "lavender"):
        if reading.has(mark):
            return CROPS[mark]
    if reading.has("savanna"):
        return CROPS["dry"]
    if reading.has("flowers"):
        return CROPS["poppies" if "popp" in stage.prompt.casefold() else
                     "sunflowers" if "sunflower" in stage.prompt.casefold() else "flowers"]  # fmt: skip
    return CROPS["autumn" if reading.has("autumn") else "grass"]


class Meadow:
    """Ground from just below the horizon to the bottom; every row moves with the camera as its distance demands."""

    def __init__(self, stage: Stage, crop: Crop, first_row: float) -> None:
        """`first_row` is where the field begins, in units below the horizon."""
        self._stage = stage
        self._crop = crop
        rng = stage.rng("meadow")
        reach_x, reach_y = stage.path.reach()
        self._side = 2 * int(np.ceil(reach_x * stage.width / 2 + 0.03 * stage.unit))
        self._top = int(stage.horizon + first_row * stage.unit) & ~1
        low = int(np.ceil(reach_y * stage.height))
        self._rows = stage.height - self._top
        picture = self._draw(rng, stage.width + 2 * self._side, self._rows + low + 2 & ~1)
        yuv = to_yuv(film(picture))
        noise = dither(stage.rng("meadow grain"), *picture.shape[:2])
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        self._y: Plane = as_bytes(yuv[..., 0] + noise)
        small = resized(yuv[..., 1:], half, area=True)
        self._u, self._v = (as_bytes(small[..., n]) for n in (0, 1))
        down = (np.arange(self._rows, dtype=np.float32) + self._top - stage.horizon)[:, None]
        self._down = down
        self._near = (down / max(stage.height - stage.horizon, 1)).astype(np.float32)
        self._wind_tile = wrapped(spectral(rng, 256, 3.0, low=2, high=40))
        self._plan_wind()
        self._edge = smoothstep(0, 0.012 * stage.unit, down - down[0])

    def _plan_wind(self) -> None:
        """Where coarse pixels lie on the ground, in tiles."""
        stage = self._stage
        rows, cols = -(-self._rows // 4), -(-stage.width // 4)
        down = (np.linspace(float(self._down[0, 0]), float(self._down[-1, 0]), rows) / stage.unit)[:, None]
        away = 0.16 / (down + 0.045)
        x = (np.linspace(-0.5, 0.5, cols) * stage.width / stage.unit)[None, :]
        self._ground_u = (x * away * 0.55).astype(np.float32)
        self._ground_v = np.broadcast_to(away * 0.42, self._ground_u.shape).astype(np.float32)

    def _draw(self, rng: np.random.Generator, width: int, rows: int) -> Field:
        """Stalks from far to near; scene-linear RGB."""
        stage = self._stage
        light = stage.light
        base = np.array(self._crop.ground)
        albedo = np.zeros((rows, width, 3), np.uint8)
        albedo[:] = _code(base * 0.55)
        first = float(self._top - stage.horizon)
        down = max(first, 0.006 * stage.unit)
        while down < first + rows + 0.25 * stage.unit:
            self._row_of_stalks(rng, albedo, down - first, down)
            down *= 1.075
        linear = (albedo.astype(np.float32) / 255) ** 2
        depth = (np.arange(rows, dtype=np.float32) + first)[:, None, None] / stage.unit
        lit = linear * (array(light.fill) * 1.5 + array(light.key) * 0.46)
        haze = np.exp(-depth / 0.055) * 0.55
        x = np.abs(np.arange(width, dtype=np.float32) - self._side - stage.sun_x)[None, :, None] / stage.unit
        lit = lit * (1 + 0.35 * np.exp(-x / 0.5))
        return (lit + (array(light.haze) - lit) * haze).astype(np.float32)

    def _row_of_stalks(self, rng: np.random.Generator, albedo: Bytes, row: float, down: float) -> None:
        size = 0.135 * down
        width = albedo.shape[1]
        count = int(min(width / max(size * 0.115, 0.8), 2600))
        x = rng.uniform(-size, width + size, count)
        y = row + rng.normal(0, 0.16 * size, count)
        lean = rng.normal(0.10, 0.16, count)
        long = size * rng.uniform(0.7, 1.25, count)
        tone = rng.integers(0, 4, count)
        tip_x, tip_y = x + lean * long, y - long
        thick = max(1, round(size * (0.105 if self._crop.ears else 0.05)))
        for step in range(4):
            pick = tone == step
            if not pick.any():
                continue
            stalks = _lines(x[pick], y[pick] + long[pick] * 1.1, tip_x[pick], tip_y[pick])
            colour = self._tone(step, 0.72)
            _polylines(albedo, stalks, colour, max(1, thick // 3))
            if self._crop.ears:
                self._ears(rng, albedo, (x[pick], y[pick], tip_x[pick], tip_y[pick]), step, (size, thick))
            else:
                _polylines(albedo, _lines(x[pick], y[pick], tip_x[pick], tip_y[pick]), self._tone(step, 1.15), thick)
        self._bloom(rng, albedo, tip_x, tip_y, size)

    def _bloom(self, rng: np.random.Generator, albedo: Bytes, x: Floats, y: Floats, size: float) -> None:
        """A flower on every fifth stalk or so, in patches of one colour."""
        for n, colour in enumerate(self._crop.flowers):
            patch = np.sin(x * (0.35 / max(size, 1)) + 2.1 * n) + 0.6 * np.sin(y * 0.05 + n)
            pick = (rng.random(x.size) < 0.30 / len(self._crop.flowers) ** 0.5) & (patch > -0.3)
            if not pick.any():
                continue
            wide = np.full(int(pick.sum()), 0.085 * size + 0.4)
            heads = _lines(x[pick] - wide, y[pick], x[pick] + wide, y[pick] + 0.03 * size)
            _polylines(albedo, heads, _code(np.array(colour)), max(1, round(0.10 * size)))
            _polylines(albedo, _lines(x[pick] - wide / 2, y[pick], x[pick] + wide / 2, y[pick]),
                       _code(np.array(colour) * 0.55), max(1, round(0.03 * size)))  # fmt: skip

    def _ears(self, rng: np.random.Generator, albedo: Bytes, at: tuple[Floats, ...], step: int,
              scale: tuple[float, int]) -> None:  # fmt: skip
        x, y, tip_x, tip_y = at
        size, thick = scale
        low_x, low_y = x + (tip_x - x) * 0.35, y + (tip_y - y) * 0.35
        if size > 7:
            for _ in range(5):
                s = rng.uniform(0.2, 1.0, x.size)
                from_x, from_y = low_x + (tip_x - low_x) * s, low_y + (tip_y - low_y) * s
                to_x = from_x + rng.normal(0.05, 0.13, x.size) * size
                to_y = from_y - rng.uniform(0.22, 0.50, x.size) * size
                _polylines(albedo, _lines(from_x, from_y, to_x, to_y), self._tone(step, 0.98), 1)
        _polylines(albedo, _lines(low_x, low_y, tip_x, tip_y), self._tone(step, 1.0), thick)
        if thick > 2:
            shift = thick * 0.22
            _polylines(albedo, _lines(low_x - shift, low_y, tip_x - shift, tip_y), self._tone(step, 1.5), thick // 3)

    def _tone(self, step: int, gain: float) -> tuple[int, int, int]:
        warm, other = np.array(self._crop.tone), np.array(self._crop.other)
        return _code((warm + (other - warm) * (step / 3)) * (0.50 + 0.22 * step) * gain)

    def _wind(self, t: float) -> tuple[Field, Field]:
        """The wind's push and a slower cloud shadow at coarse size, about -1 to 1."""
        size = 256
        gust = 1.9 if self._stage.reading.has("wind", "storm") else 0.8
        u = self._ground_u - np.float32(0.075 * gust * t)
        v = self._ground_v + np.float32(0.02 * t)
        push = lookup(self._wind_tile, fraction(u) * size, fraction(v) * size)
        slow_u = self._ground_u * np.float32(0.23) - np.float32(0.010 * t)
        slow = lookup(self._wind_tile, fraction(slow_u) * size, fraction(self._ground_v * np.float32(0.3)) * size)
        return push, slow

    def paint(self, canvas: Canvas, i: int) -> None:
        stage, path = self._stage, self._stage.path
        t = stage.seconds(i) * min(stage.tempo, 2)
        push, slow = self._wind(t)
        strength = 1.0 if stage.reading.has("wind", "storm") else 0.5
        whole = (canvas.width, self._rows)
        swing = np.sin(np.float32(2.6 * t) + self._ground_u * 60 + push * 2)
        sway = resized(push + np.float32(0.25) * swing, whole) * (
            self._near * np.float32(0.011 * strength * stage.unit)
        )
        s = 1 + float(path.zoom[i]) * self._near
        middle = stage.width / 2
        shift = float(path.x[i]) * stage.width * self._near
        columns = np.arange(canvas.width, dtype=np.float32)[None, :]
        x = (middle + (columns - middle - shift) / s + self._side - sway).astype(np.float32)
        rise = float(path.y[i]) * stage.height * self._near
        y = np.broadcast_to((self._down - rise) / s - self._down[0], x.shape).astype(np.float32)
        gain = np.clip(200 * (1 + 0.16 * strength * push + 0.11 * slow), 60, 255)
        self._blend(canvas, x, y, as_bytes(resized(single(gain), whole)))

    def _blend(self, canvas: Canvas, x: Field, y: Field, gain: Plane) -> None:
        top = self._top
        moved = sampled(self._y, x, y, cv2.BORDER_REFLECT)
        moved = product(moved, gain, 1 / 200)
        edge = min(self._rows, int(0.014 * self._stage.unit) + 2) & ~1
        share = self._edge[:edge]
        canvas.y[top : top + edge] = as_bytes(canvas.y[top : top + edge] * (1 - share) + moved[:edge] * share)
        canvas.y[top + edge :] = moved[edge:]
        half_x = np.ascontiguousarray(x[::2, ::2]) / 2
        half_y = np.ascontiguousarray(y[::2, ::2]) / 2
        for plane, own in ((canvas.u, self._u), (canvas.v, self._v)):
            colour = sampled(own, half_x, half_y, cv2.BORDER_REFLECT)
            rows = plane[top // 2 :]
            near = share[::2]
            colour[: edge // 2] = as_bytes(rows[: edge // 2] * (1 - near) + colour[: edge // 2] * near)
            rows[:] = colour[: rows.shape[0]]


def _code(linear: NDArray[np.float64]) -> tuple[int, int, int]:
    """A linear albedo as the square-root code that the drawing uses."""
    code = np.clip(np.sqrt(linear) * 255, 0, 255)
    return int(code[0]), int(code[1]), int(code[2])


def _lines(x0: NDArray[np.floating], y0: NDArray[np.floating], x1: NDArray[np.floating],
           y1: NDArray[np.floating]) -> NDArray[np.int32]:  # fmt: skip
    points = np.stack([np.stack([x0, y0], axis=1), np.stack([x1, y1], axis=1)], axis=1)
    return np.round(points * 16).astype(np.int32)


def _polylines(image: Bytes, lines: NDArray[np.int32], colour: tuple[int, int, int], thick: int) -> None:
    strokes(image, list(lines), colour, thick)
