"""A street seen along its axis: two walls and a wet road that the camera moves through, in true perspective."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Plane, Rgb, array, as_bytes, dither, film, to_yuv, yuv
from rushes.engines.animatic.painter.facade import NEON, WARM, house, tube_sign
from rushes.engines.animatic.painter.noise import Field, lookup, smoothstep, spectral, wrapped
from rushes.engines.animatic.painter.sprite import Sprite, make_sprite, place, turned
from rushes.engines.animatic.painter.stage import Stage

FINE, COARSE = 26, 12
"""Texture pixels per metre of wall, for large and for small frames."""
LENGTH = 80
"""Metres of wall before it repeats."""
TALL = 40
"""Metres of wall above the road."""
HALF = 9.0
"""Metres from the camera to either wall."""
EYE = 2.1
"""Metres from the road to the camera."""
LEVELS = 5
REACH = 260.0
"""Metres after which the street is lost in the air."""


@dataclass(slots=True)
class _Size:
    """A wall's texture at one size: premultiplied Y and alpha, and U, V, alpha together, uint8."""

    y: Plane
    alpha: Plane
    colour: Plane


@dataclass(slots=True)
class _Wall:
    """One side of the street at several sizes, each half as large as the one before."""

    sizes: list[_Size]


def _size(pixels: Field) -> _Size:
    coded = as_bytes(pixels)
    return _Size(*(np.ascontiguousarray(coded[..., n]) for n in (0, 3)), np.ascontiguousarray(coded[..., 1:]))


def _texture(stage: Stage, metre: int, tag: str) -> _Wall:
    rng = stage.rng(tag)
    rows, cols = TALL * metre, LENGTH * metre
    rgb = np.zeros((rows, cols, 3), np.float32)
    alpha = np.zeros((rows, cols), np.float32)
    left = 0
    while left < cols:
        width = min(int(rng.uniform(8, 17) * metre), cols - left)
        if cols - left - width < 6 * metre:
            width = cols - left
        tall = int(rng.uniform(13, TALL - 2) * metre)
        cell = (int(rng.uniform(1.1, 2.0) * metre), int(rng.uniform(2.4, 3.1) * metre))
        front = house(stage, rng, width, tall, cell, 0.2)
        front *= 0.75
        front[:, :3] *= 0.35
        _dress(stage, rng, front, metre)
        rgb[rows - tall :, left : left + width] = front
        alpha[rows - tall :, left : left + width] = 1
        left += width
    shaded = to_yuv(film(rgb)) * alpha[..., None]
    pixels = np.dstack([shaded, alpha * 255])
    pixels[..., 0] += dither(rng, rows, cols) * alpha
    sizes = [_size(pixels)]
    for _ in range(LEVELS - 1):
        pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        sizes.append(_size(np.asarray(pixels, np.float32)))
    return _Wall(sizes)


def _dress(stage: Stage, rng: np.random.Generator, front: Field, metre: int) -> None:
    """A shop at street level, ledges of light and signs, in place."""
    rows, cols = front.shape[:2]
    dark = stage.reading.time in ("night", "neon", "sunset")
    power = np.float32(1.0 if dark else 0.3)
    shop = int(3.8 * metre)
    _shop(rng, front[-shop:], power, metre)
    if rng.random() < 0.6:
        tube = array(NEON[int(rng.integers(len(NEON)))]) * power
        row = rows - shop - int(0.5 * metre)
        front[row : row + 3, 6:-6] = tube * 1.6
        front[row - 10 : row, 6:-6] += tube * np.linspace(0.02, 0.20, 10, dtype=np.float32)[:, None, None]
        front[row + 3 : row + 13, 6:-6] += tube * np.linspace(0.20, 0.02, 10, dtype=np.float32)[:, None, None]
    for _ in range(int(rng.integers(2, 5))):
        if rng.random() < 0.6:
            height, width = int(rng.uniform(3, 8) * metre), int(rng.uniform(0.8, 1.5) * metre)
        else:
            height, width = int(rng.uniform(0.8, 1.6) * metre), int(rng.uniform(2.5, 6) * metre)
        room = rows - shop - metre - height
        if room < 0 or width > cols - metre:
            continue
        top = room - int(rng.uniform(0, min(room, 8 * metre)))
        left = int(rng.uniform(0.3 * metre, cols - width - 0.3 * metre))
        colour = NEON[int(rng.integers(len(NEON)))]
        front[top : top + height, left : left + width] = tube_sign(rng, height, width, colour) * power
        _halo(front, (top, left, height, width), colour, power, metre)


def _halo(front: Field, box: tuple[int, int, int, int], colour: Rgb, power: np.float32, metre: int) -> None:
    """The light that a sign throws on the wall around it, in place."""
    top, left, height, width = box
    spread = 2 * metre
    y0, y1 = max(0, top - spread), min(front.shape[0], top + height + spread)
    x0, x1 = max(0, left - spread), min(front.shape[1], left + width + spread)
    y, x = np.arange(y0, y1, dtype=np.float32)[:, None], np.arange(x0, x1, dtype=np.float32)[None, :]
    beside = np.hypot(
        np.maximum(np.maximum(left - x, x - left - width), 0), np.maximum(np.maximum(top - y, y - top - height), 0)
    )
    glow = np.exp(-beside / (0.55 * metre)) * (beside > 0)
    front[y0:y1, x0:x1] += glow[..., None] * array(colour) * (np.float32(0.16) * power)


def _shop(rng: np.random.Generator, shop: Field, power: np.float32, metre: int) -> None:
    """Shop windows: lit from above, shelves and people as dark shapes, frames and a fascia; in place."""
    rows, cols = shop.shape[:2]
    fascia, sill = rows // 5, rows // 9
    shop[:] *= 0.35
    left = 6
    while left < cols - 2 * metre:
        width = min(int(rng.uniform(1.6, 4.2) * metre), cols - left - 6)
        lit = rng.random() < 0.72
        colour = array(WARM[int(rng.integers(len(WARM)))]) if rng.random() < 0.6 else array(NEON[int(rng.integers(6))])
        height = rows - fascia - sill
        fall = np.linspace(1.0, 0.28, height, dtype=np.float32)[:, None, None]
        pane = np.repeat(colour[None, None, :] * fall, width, axis=1) * np.float32(rng.uniform(0.25, 0.55))
        for _ in range(int(rng.integers(3, 9))):
            w, h = int(rng.uniform(0.15, 0.7) * metre), int(rng.uniform(0.3, 1.9) * metre)
            at = int(rng.uniform(0, max(1, width - w)))
            pane[max(0, height - h) :, at : at + w] *= rng.uniform(0.25, 0.8)
        for shelf in range(height // 4, height, max(4, height // 4)):
            pane[shelf : shelf + 2] *= 0.5
        shop[fascia : fascia + height, left : left + width] = pane * (power if lit else power * 0.08)
        left += width + int(0.25 * metre)
    board = array(NEON[int(rng.integers(len(NEON)))])
    shop[2 : fascia - 4, 8 : cols - 8] = (
        tube_sign(rng, fascia - 6, cols - 16, (float(board[0]), float(board[1]), float(board[2]))) * power * 0.8
    )


class Street:
    """Both walls; the sky is left as it is."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._metre = FINE if stage.unit > 400 else COARSE
        self._walls = (_texture(stage, self._metre, "left wall"), _texture(stage, self._metre, "right wall"))
        self._focal = 0.98 * stage.unit
        self._air = yuv(stage.light.haze)
        self._offset = (float(stage.rng("street").uniform(0, LENGTH)), float(stage.rng("street 2").uniform(0, LENGTH)))

    def camera(self, i: int) -> tuple[float, float]:
        """Metres walked, and the column of the vanishing point, at frame `i`."""
        stage, path = self._stage, self._stage.path
        walked = 46.0 * float(path.zoom[i])
        return walked, stage.width / 2 + float(path.x[i]) * 0.35 * stage.width

    def paint(self, canvas: Canvas, i: int) -> None:
        walked, middle = self.camera(i)
        bottom = canvas.height
        self._side(canvas, self._walls[0], np.arange(0, max(2, int(middle) - 1 & ~1)), middle, walked, 0, bottom)
        first = min(canvas.width - 2, int(middle) + 2 & ~1)
        self._side(canvas, self._walls[1], np.arange(first, canvas.width), middle, walked, 1, bottom)

    def _side(
        self, canvas: Canvas, wall: _Wall, columns: Field, middle: float, walked: float, which: int, bottom: int
    ) -> None:
        aside = np.maximum(np.abs(columns + 0.5 - middle), 1.0).astype(np.float32)
        away = np.float32(self._focal * HALF) / aside
        # Metres of wall per pixel: along the street it grows with the square of the distance.
        step = away**2 / np.float32(self._focal * HALF)
        level = np.clip(np.log2(np.maximum(step * self._metre * 0.55, 1e-3)), 0, LEVELS - 1).astype(int)
        along = away + np.float32(walked + self._offset[which])
        for n in range(LEVELS):
            pick = np.flatnonzero(level == n)
            if pick.size == 0:
                continue
            first = int(columns[pick[0]]) & ~1
            last = min(int(columns[pick[-1]]) + 2 & ~1, canvas.width)
            index = np.clip(np.arange(first, last) - int(columns[0]), 0, columns.size - 1)
            self._strip(canvas, wall.sizes[n], (first, last), away[index], along[index], self._metre / 2**n, bottom)

    def _strip(self, canvas: Canvas, texture: _Size, span: tuple[int, int], away: Field, along: Field, scale: float,
               bottom: int) -> None:  # fmt: skip
        """Columns of one size of texture: its rows by height above the road, its columns by distance."""
        first, last = span
        horizon = self._stage.horizon
        rows, cols = texture.y.shape
        top = max(0, int(horizon - (TALL - EYE) / max(float(away.min()), 1.0) * self._focal)) & ~1
        low = min(bottom, int(horizon + EYE / float(away.min()) * self._focal) + 2) & ~1
        y = np.arange(top, low, dtype=np.float32)[:, None]
        slope = away[None, :] * np.float32(scale / self._focal)
        map_y = (np.float32(rows - EYE * scale - 0.5) - np.float32(horizon) * slope) + y * slope
        map_x = np.ascontiguousarray(np.broadcast_to((along * np.float32(scale)) % cols, map_y.shape))
        clear_air = np.exp(-away / np.float32(REACH * 0.42))
        fade = np.ascontiguousarray(np.broadcast_to(as_bytes(clear_air * 255), map_y.shape))
        window = canvas.y[top:low, first:last]
        alpha = cv2.remap(texture.alpha, map_x, map_y, cv2.INTER_LINEAR)
        seen = cv2.remap(texture.y, map_x, map_y, cv2.INTER_LINEAR)
        window[:] = _faded(window, (seen, alpha, fade), self._air[0])
        small_x, small_y = np.ascontiguousarray(map_x[::2, ::2]), np.ascontiguousarray(map_y[::2, ::2])
        half = cv2.split(cv2.remap(texture.colour, small_x, small_y, cv2.INTER_LINEAR))
        small_fade = np.ascontiguousarray(fade[::2, ::2])
        for n, plane in ((0, canvas.u), (1, canvas.v)):
            part = plane[top // 2 : low // 2, first // 2 : last // 2]
            part[:] = _faded(
                part, (np.asarray(half[n], np.uint8), np.asarray(half[2], np.uint8), small_fade), self._air[n + 1]
            )


def _faded(under: Plane, wall: tuple[Plane, Plane, Plane], air: float) -> Plane:
    """A premultiplied wall over what is behind it, turning into air with distance."""
    seen, alpha, fade = wall
    lost = cv2.multiply(alpha, cv2.bitwise_not(fade), scale=air / 255 / 255)
    front = cv2.add(cv2.multiply(seen, fade, scale=1 / 255), lost)
    return cv2.add(cv2.multiply(np.ascontiguousarray(under), cv2.bitwise_not(alpha), scale=1 / 255), front)  # pyright: ignore[reportReturnType]


class Road:
    """Wet asphalt: a dim mirror, smeared downwards, sharp in the puddles; painted from what stands above it."""

    def __init__(self, stage: Stage, street: Street) -> None:
        self._stage = stage
        self._street = street
        self._top = int(np.ceil(stage.horizon)) + 2 & ~1
        self._rows = stage.height - self._top
        self._drop = (np.arange(self._rows, dtype=np.float32) + self._top + 0.5 - stage.horizon)[:, None]
        focal = 0.98 * stage.unit
        self._away = (EYE * focal / self._drop).astype(np.float32)
        self._focal = np.float32(focal)
        rng = stage.rng("road")
        self._puddle = wrapped(spectral(rng, 256, 3.0, low=3, high=50))
        self._ripple = wrapped(spectral(rng, 256, 1.8, low=10, high=110))
        wet = stage.reading.has("rain", "storm") or stage.reading.time == "neon"
        wetness = 1.0 if wet else 0.35
        far = (1.05 - 0.35 * self._drop / self._drop[-1]) * wetness
        self._dry = (0.34 * far).astype(np.float32)
        self._pooled = (0.55 * wetness * far).astype(np.float32)
        self._rough = (smoothstep(0.0, 0.10 * stage.unit, self._drop) * 0.030 * stage.unit).astype(np.float32)
        self._per_metre = (self._away / self._focal / 14).astype(np.float32)
        light = stage.light
        body = array((0.055, 0.055, 0.060)) * (array(light.fill) * 1.3 + array(light.key) * 0.5)
        self._body = yuv((float(body[0]), float(body[1]), float(body[2])))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        walked, middle = self._street.camera(i)
        cols = canvas.width // 2
        x = (np.arange(cols, dtype=np.float32) * 2 + 0.5 - np.float32(middle))[None, :]
        u = x * self._per_metre
        v = np.broadcast_to((self._away + np.float32(walked)) / 22, u.shape)
        pools = lookup(self._puddle, _part(u) * 256, _part(v) * 256)
        shake = lookup(self._ripple, _part(u * 5 + np.float32(0.11 * stage.seconds(i))) * 256, _part(v * 7) * 256)
        pool = smoothstep(-0.1, 0.9, pools)
        share = np.clip((self._dry + self._pooled * pool) * 255, 5, 230).astype(np.float32)
        jitter = shake * (self._rough - np.float32(0.6) * self._rough * pool)
        # The foot of the walls in each column; above it the wall is seen and not the road.
        foot = np.abs(x) * np.float32(EYE / HALF)
        line = np.clip((self._drop - foot) * 127 + 128, 0, 255).astype(np.float32)
        rows = np.maximum(np.float32(stage.horizon) - self._drop + 2 * foot + jitter, 0).astype(np.float32)
        self._mirror(canvas, rows, share, line)

    def _mirror(self, canvas: Canvas, rows: Field, share: Field, line: Field) -> None:
        whole = (canvas.width, self._rows)
        smear = cv2.blur(canvas.y, (3, max(3, int(0.035 * self._stage.unit) | 1)))
        x = np.broadcast_to(np.arange(canvas.width, dtype=np.float32)[None, :], (self._rows, canvas.width))
        seen = cv2.remap(smear, np.ascontiguousarray(x), cv2.resize(rows, whole), cv2.INTER_LINEAR)
        small_mask, small_cut = as_bytes(share), as_bytes(line)
        road = _tinted(np.asarray(seen, np.uint8), np.asarray(cv2.resize(small_mask, whole), np.uint8), self._body[0])
        self._lay(canvas.y[self._top :], road, np.asarray(cv2.resize(small_cut, whole), np.uint8))
        half_rows = np.ascontiguousarray(rows[::2]) * np.float32(0.5)
        half_x = np.ascontiguousarray(x[::2, : rows.shape[1]])
        half_mask, half_cut = np.ascontiguousarray(small_mask[::2]), np.ascontiguousarray(small_cut[::2])
        for n, plane in ((1, canvas.u), (2, canvas.v)):
            colour = cv2.remap(plane, half_x, half_rows, cv2.INTER_LINEAR)
            self._lay(
                plane[self._top // 2 :], _tinted(np.asarray(colour, np.uint8), half_mask, self._body[n]), half_cut
            )

    @staticmethod
    def _lay(dst: Plane, road: Plane, cut: Plane) -> None:
        walls = cv2.multiply(dst, cv2.bitwise_not(cut), scale=1 / 255)
        dst[:] = cv2.add(walls, cv2.multiply(road, cut, scale=1 / 255))


def _part(x: Field) -> Field:
    """What is left of the whole number below."""
    return x - np.floor(x)


def _tinted(seen: Plane, share: Plane, body: float) -> Plane:
    out = cv2.multiply(seen, share, scale=1 / 255)
    return cv2.add(out, cv2.convertScaleAbs(share, alpha=-body / 255, beta=body))  # pyright: ignore[reportReturnType]


class Traffic:
    """Cars as what one sees of them at night: white lights coming, red lights going, and their shine on the road."""

    METRE = 36
    """Pixels per metre in the drawing of a car's lights."""

    def __init__(self, stage: Stage, street: Street) -> None:
        self._stage = stage
        self._street = street
        rng = stage.rng("traffic")
        count = 8
        self._start = np.sort(rng.uniform(0, 1, (2, count)), axis=1) * 230
        self._pace = (float(rng.uniform(9, 13)), float(rng.uniform(7, 10)))
        self._lane = np.array([[-2.4], [2.4]]) + rng.normal(0, 0.2, (2, count))
        self._power = {"night": 1.0, "neon": 1.0, "sunset": 0.9}.get(stage.reading.time, 0.6)
        self._cars = tuple([_lights(self.METRE / 2**n, red) for n in range(4)] for red in (False, True))

    def paint(self, canvas: Canvas, i: int) -> None:
        stage = self._stage
        walked, middle = self._street.camera(i)
        focal = 0.98 * stage.unit
        t = stage.seconds(i) * min(stage.tempo, 3)
        for side, way in ((0, -1), (1, 1)):
            away = (self._start[side] + way * self._pace[side] * t - walked) % 230 + 7
            for n in np.argsort(-away):
                size = focal / float(away[n])
                fade = float(np.clip((236 - away[n]) / 50, 0, 1) * np.clip((away[n] - 7) / 5, 0, 1)) * self._power
                level = int(np.clip(np.log2(self.METRE / size), 0, 3))
                x = middle + float(self._lane[side][n]) * size
                scale = size / self.METRE * 2**level
                sprite = self._cars[side][level]
                height, width = sprite.pixels.shape[:2]
                place(
                    canvas,
                    sprite,
                    turned(scale, 0.0, (width / 2, height * 0.36), (x, stage.horizon + EYE * size)),
                    fade,
                )


def _lights(metre: float, red: bool) -> Sprite:
    """One car's two lamps with their glow and the streaks below them; the road is at 0.36 of the height."""
    height, width = int(6.0 * metre), int(5.0 * metre)
    y = (np.arange(height, dtype=np.float32)[:, None] - 0.36 * height) / np.float32(metre)
    x = (np.arange(width, dtype=np.float32)[None, :] - 0.5 * width) / np.float32(metre)
    glow = np.zeros((height, width), np.float32)
    core = np.zeros((height, width), np.float32)
    small = max(0.11, 0.55 / metre)
    for lamp in (-0.72, 0.72):
        far = np.hypot(x - lamp, (y + 0.78) * (1.5 if red else 1.0))
        core += np.exp(-((far / small) ** 2))
        glow += 0.42 * np.exp(-((far / 0.42) ** 2)) + 0.10 * np.exp(-((far / 1.0) ** 2))
        streak = np.exp(-(((x - lamp) / (0.14 + 0.05 * np.maximum(y, 0))) ** 2))
        glow += 0.5 * streak * np.exp(-np.maximum(y, 0) / 1.25) * smoothstep(0.0, 0.35, y)
    border = smoothstep(0, 0.5, np.minimum(2.5 - np.abs(x), np.minimum(y + 2.16, 3.84 - y)))
    alpha = np.clip((core + glow) * border, 0, 1)
    heart = np.clip(core, 0, 1)[..., None]
    tint = array((1.6, 0.05, 0.04)) if red else array((1.5, 1.25, 0.95))
    bright = array((3.0, 0.6, 0.4)) if red else array((4.0, 3.8, 3.4))
    return make_sprite(np.asarray(tint + (bright - tint) * heart, np.float32), alpha.astype(np.float32))


class Bloom:
    """Light that spreads around bright things, as in a lens on a wet night."""

    def __init__(self, strength: float = 0.55, floor: float = 105) -> None:
        self._strength = strength
        self._floor = floor

    def paint(self, canvas: Canvas, i: int) -> None:
        size = (canvas.width // 8, canvas.height // 8)
        if min(size) < 4:
            return
        small = cv2.resize(canvas.y, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        bright = np.maximum(small - np.float32(self._floor * 0.55), 0)
        glow = cv2.GaussianBlur(bright, (0, 0), size[1] * 0.02) + 0.8 * cv2.GaussianBlur(bright, (0, 0), size[1] * 0.07)
        glow *= np.float32(self._strength)
        whole = cv2.resize(glow, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
        cv2.add(canvas.y, cv2.convertScaleAbs(whole), dst=canvas.y)
        half = (canvas.width // 2, canvas.height // 2)
        weight = bright + 2
        spread = cv2.GaussianBlur(weight, (0, 0), size[1] * 0.05)
        share = np.clip(glow / 70, 0, 0.6)
        for plane in (canvas.u, canvas.v):
            tint = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32) - 128
            around = cv2.GaussianBlur(tint * weight, (0, 0), size[1] * 0.05) / spread
            whole_share = cv2.resize(share, half, interpolation=cv2.INTER_LINEAR)
            moved = cv2.resize(around, half, interpolation=cv2.INTER_LINEAR) + 128
            plane[:] = as_bytes(plane * (1 - whole_share) + moved * whole_share)
