"""Space: a nebula, stars and a turning planet with rings."""

from __future__ import annotations

import cv2
import numpy as np

from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.colour import Rgb, array, dither, film, to_yuv
from rushes.engines.animatic.painter.layers import Layer, LayerPass
from rushes.engines.animatic.painter.night import star_plane
from rushes.engines.animatic.painter.noise import lattice, sample, smoothstep, spectral
from rushes.engines.animatic.painter.raster import Field, Floats, Plane, as_bytes, blurred, resized, sampled, warped
from rushes.engines.animatic.painter.splat import splat
from rushes.engines.animatic.painter.stage import Stage

NEBULAE: tuple[tuple[Rgb, Rgb], ...] = (
    ((0.030, 0.012, 0.070), (0.010, 0.055, 0.085)),
    ((0.070, 0.018, 0.030), (0.020, 0.026, 0.085)),
    ((0.012, 0.045, 0.060), (0.055, 0.020, 0.065)),
)
WORLDS: tuple[tuple[Rgb, Rgb, Rgb], ...] = (
    ((0.62, 0.44, 0.27), (0.80, 0.66, 0.48), (0.36, 0.22, 0.13)),
    ((0.30, 0.42, 0.58), (0.62, 0.72, 0.80), (0.12, 0.20, 0.36)),
    ((0.60, 0.34, 0.22), (0.84, 0.60, 0.42), (0.28, 0.12, 0.09)),
)
"""Three colours of a planet's bands."""


class Deep:
    """The background: glowing gas and stars, drifting together against the camera's movement."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("deep space")
        self._side = 2 * int(np.ceil(0.05 * stage.width)) + 8
        width, height = stage.width + 2 * self._side, stage.height + 2 * self._side
        gas = self._gas(rng, height, width)
        density = np.clip(gas.sum(axis=2) * 4, 0, 1).astype(np.float32)
        yuv = to_yuv(film(gas))
        y = resized(yuv[..., 0], (width, height), cubic=True)
        stars = star_plane(rng, height, width, density, int(2100 * (width * height) / stage.unit**2))
        self._y: Plane = as_bytes(np.maximum(y, 0) + dither(rng, height, width) + stars)
        half = (width // 2, height // 2)
        noise = dither(rng, half[1], half[0], 0.5)
        self._u, self._v = (as_bytes(resized(yuv[..., n], half) + noise) for n in (1, 2))
        lucky = 70
        self._twinkle = (
            rng.random(lucky) * stage.width, rng.random(lucky) * stage.height, rng.random(lucky) * 6.28,
            rng.uniform(1.0, 3.0, lucky), rng.uniform(30, 120, lucky),
        )  # fmt: skip

    def _gas(self, rng: np.random.Generator, height: int, width: int) -> Field:
        warm, cool = NEBULAE[int(rng.integers(len(NEBULAE)))]
        rows, cols = height // 3, width // 3
        size = max(rows, cols)
        v, u = np.meshgrid(
            np.arange(rows, dtype=np.float32) / size, np.arange(cols, dtype=np.float32) / size, indexing="ij"
        )
        first, second = spectral(rng, 512, 3.7, low=1.2), spectral(rng, 512, 3.3, low=1.5)
        bend_u, bend_v = u + 0.05 * sample(second, u, v), v + 0.05 * sample(second, u + 0.4, v)
        a, b = sample(first, bend_u, bend_v), sample(second, bend_u * 0.8 + 0.2, bend_v * 0.8)
        band = np.exp(-(((u * 0.62 - v + 0.02) / 0.26) ** 2))
        dust = smoothstep(0.1, 1.5, sample(first, bend_u * 1.7 + 0.5, bend_v * 1.7))
        glow_a = smoothstep(-0.5, 2.2, a)[..., None] * array(warm) * 1.5
        glow_b = smoothstep(-0.4, 2.3, b)[..., None] * array(cool) * 1.5
        return ((glow_a + glow_b) * (0.06 + band[..., None]) * (1 - 0.72 * dust[..., None]) + 0.0016).astype(np.float32)

    def paint(self, canvas: Canvas, i: int) -> None:
        stage, path = self._stage, self._stage.path
        move = 0.12
        s = 1 + move * float(path.zoom[i])
        drift = 0.012 * (i / max(stage.count - 1, 1) - 0.5)
        tx = (float(path.x[i]) * move + drift) * stage.width + stage.width / 2 * (1 - s) - s * self._side
        ty = float(path.y[i]) * move * stage.height + stage.height / 2 * (1 - s) - s * self._side
        matrix = np.array([[s, 0, tx], [0, s, ty]], np.float32)
        canvas.y[:] = warped(self._y, matrix, (canvas.width, canvas.height))
        half = np.array([[s, 0, (tx + 0.5 * s - 0.5) / 2], [0, s, (ty + 0.5 * s - 0.5) / 2]], np.float32)
        size = (canvas.width // 2, canvas.height // 2)
        canvas.u[:] = warped(self._u, half, size, border=cv2.BORDER_REPLICATE)
        canvas.v[:] = warped(self._v, half, size, border=cv2.BORDER_REPLICATE)
        x, y, phase, rate, power = self._twinkle
        pulse = power * (0.5 + 0.5 * np.sin(phase + rate * 2 * stage.seconds(i))) ** 2
        splat(canvas.y, x * s + tx + s * self._side, y * s + ty + s * self._side, pulse, 0.8)


class Planet:
    """A banded world lit from one side, turning, with a thin bright air at its edge and rings if asked."""

    TEXTURE = 1024

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        rng = stage.rng("planet")
        self._rings = stage.reading.has("rings") or rng.random() < 0.5
        self._radius = 0.285 * min(stage.unit, stage.width * 1.1)
        way = 1.0 if rng.random() < 0.5 else -1.0
        self._x = stage.width * 0.5 + way * 0.10 * stage.width
        self._y = stage.height * 0.48
        self._sun = np.array((-way * 0.80, -0.30, 0.52))
        self._sun /= np.linalg.norm(self._sun)
        self._tilt = way * 0.36
        self._lean = 0.27
        self._texture = self._surface(rng)
        self._ring_light = self._ring_profile(rng)
        self._geometry()
        middle_y, middle_x = (side // 2 for side in self._alpha.shape)
        reach = min(int(1.16 * self._radius / 2), middle_x, middle_y)
        self._box = (slice(middle_y - reach, middle_y + reach), slice(middle_x - reach, middle_x + reach))
        self._layer = self._still()
        self._grain = dither(rng, *self._layer.y.shape) * (self._layer.clear < 250)
        self._mover = LayerPass(stage, self._layer)

    def _surface(self, rng: np.random.Generator) -> Plane:
        """Latitude by longitude, film-ready linear RGB in square-root code."""
        size = self.TEXTURE
        base, pale, dark = (array(colour) for colour in WORLDS[int(rng.integers(len(WORLDS)))])
        v, u = np.meshgrid(np.linspace(0, 1, size // 2, dtype=np.float32), np.arange(size, dtype=np.float32) / size,
                           indexing="ij")  # fmt: skip
        swirl, fine = spectral(rng, 512, 2.9, low=2), spectral(rng, 512, 2.3, low=6)
        bands = lattice(rng, 512, 16) + 0.6 * lattice(rng, 512, 32) + 0.35 * lattice(rng, 512, 64)
        bend = v + 0.010 * sample(swirl, u * 2, v) + 0.004 * sample(fine, u * 3, v * 2)
        stripe = sample(bands, np.full_like(u, 0.3), bend * 0.9)
        stripe = stripe + 0.16 * sample(fine, u * 2, bend * 5)
        high = smoothstep(-0.2, 1.2, stripe)[..., None]
        low = smoothstep(-0.2, -1.2, stripe)[..., None]
        rgb = base + (pale - base) * high + (dark - base) * low
        pole = smoothstep(0.30, 0.5, np.abs(v - 0.5))[..., None]
        rgb = rgb * (1 - 0.45 * pole)
        code = as_bytes(np.sqrt(np.clip(rgb, 0, 1)) * 255)
        return np.pad(code, ((0, 0), (0, 1), (0, 0)), mode="wrap")

    def _ring_profile(self, rng: np.random.Generator) -> Field:
        """Opacity of the rings over their width, 0..1 with gaps."""
        s = np.linspace(0, 1, 512, dtype=np.float32)
        fine = sample(lattice(rng, 512, 128), s[None, :], np.full((1, 512), 0.2, np.float32))[0]
        broad = sample(lattice(rng, 512, 16), s[None, :] * 0.7, np.full((1, 512), 0.6, np.float32))[0]
        body = np.clip(0.62 + 0.22 * fine + 0.25 * broad, 0.05, 1)
        gap = 1 - 0.92 * np.exp(-(((s - 0.62) / 0.022) ** 2)) - 0.5 * np.exp(-(((s - 0.86) / 0.010) ** 2))
        body = blurred(body[None, :], 4)[0]
        return (body * gap * smoothstep(0, 0.10, s) * smoothstep(1.0, 0.95, s)).astype(np.float32)

    def _geometry(self) -> None:
        """What does not change while the planet turns: where the globe's pixels lie on it, its light, the rings."""
        radius = self._radius
        reach_x, reach_y = (2.45, 1.95) if self._rings else (1.25, 1.25)
        half_w, half_h = int(reach_x * radius) // 2 + 1, int(reach_y * radius) // 2 + 1
        px = ((np.arange(2 * half_w, dtype=np.float32) + 0.5 - half_w) * 2 / np.float32(radius))[None, :]
        py = ((np.arange(2 * half_h, dtype=np.float32) + 0.5 - half_h) * 2 / np.float32(radius))[:, None]
        self._corner = (int(self._x) - 2 * half_w & ~1, int(self._y) - 2 * half_h & ~1)
        c, s = float(np.cos(self._tilt)), float(np.sin(self._tilt))
        across, down = px * c + py * s, -px * s + py * c
        pixel = 2 / radius
        far = np.hypot(across, down)
        depth = np.sqrt(np.maximum(1 - far**2, 0))
        lat_y = down * np.cos(self._lean) + depth * np.sin(self._lean)
        lat_z = depth * np.cos(self._lean) - down * np.sin(self._lean)
        size = self.TEXTURE
        self._u = ((np.arctan2(across, lat_z) / (2 * np.pi) + 0.5) * size).astype(np.float32)
        self._v = ((np.arcsin(np.clip(lat_y, -1, 1)) / np.pi + 0.5) * (size // 2 - 1)).astype(np.float32)
        lit = (px * self._sun[0] + py * self._sun[1] + depth * self._sun[2]).astype(np.float32)
        day = smoothstep(-0.10, 0.95, lit) * 1.75
        if self._rings:
            day = day * self._ring_shadow(across, down, depth)
        self._day = (day + 0.004)[..., None].astype(np.float32)
        rim = (1 - depth) ** 3 * smoothstep(-0.25, 0.7, lit)
        self._rim = (rim[..., None] * array((0.32, 0.50, 0.80)) * 0.55).astype(np.float32)
        self._cover = np.clip((1 - far) / pixel + 0.5, 0, 1).astype(np.float32)
        beyond = np.exp(-np.maximum(far - 1, 0) / 0.028) * smoothstep(-0.15, 0.9, lit) * (1 - self._cover)
        self._air = (beyond[..., None] * array((0.20, 0.36, 0.70)) * 0.75).astype(np.float32)
        self._alpha = np.maximum(self._cover, beyond * 0.6).astype(np.float32)
        self._across, self._down = across, down

    def paint(self, canvas: Canvas, i: int) -> None:
        layer = self._layer
        box = self._box
        turned = self._u[box] + np.float32(0.0045 * self.TEXTURE * self._stage.seconds(i))
        turned -= np.float32(self.TEXTURE) * np.floor(turned / np.float32(self.TEXTURE))
        code = sampled(self._texture, turned, self._v[box])
        albedo = np.square(code.astype(np.float32) * np.float32(1 / 255))
        cover = self._cover[box][..., None]
        rgb = (albedo * self._day[box] + self._rim[box]) * cover + self._air[box]
        alpha = np.maximum(self._alpha[box], 0.02)[..., None]
        yuv = to_yuv(film((rgb / alpha).astype(np.float32))) * self._alpha[box][..., None]
        if self._rings:
            yuv = yuv * self._ring_clear[box][..., None] + self._ring_yuv[box]
        rows, cols = box
        full = (slice(rows.start * 2, rows.stop * 2), slice(cols.start * 2, cols.stop * 2))
        height, width = yuv.shape[:2]
        luma = resized(yuv[..., 0], (2 * width, 2 * height))
        layer.y[full] = as_bytes(luma + self._grain[full])
        layer.u[box], layer.v[box] = as_bytes(yuv[..., 1]), as_bytes(yuv[..., 2])
        self._mover.paint(canvas, i)

    def _still(self) -> Layer:
        """The whole planet as a layer, its rings painted; `paint` renews the globe on it."""
        height, width = self._alpha.shape
        yuv = np.zeros((height, width, 3), np.float32)
        alpha = self._alpha
        if self._rings:
            colour, seen, front = self._ring(alpha)
            self._ring_clear = (1 - front).astype(np.float32)
            self._ring_yuv = (to_yuv(film(colour)) * seen[..., None]).astype(np.float32)
            yuv = self._ring_yuv
            alpha = np.clip(alpha * (1 - front) + seen, 0, 1).astype(np.float32)
        whole = (2 * width, 2 * height)
        grown = resized(np.dstack([yuv[..., 0], alpha]), whole)
        clear, clear_half = as_bytes(255 - 255 * grown[..., 1]), as_bytes(255 - 255 * alpha)
        y = as_bytes(grown[..., 0])
        left, top = self._corner
        return Layer(y, as_bytes(yuv[..., 1]), as_bytes(yuv[..., 2]), clear, clear_half, left, top, 0.7, y.shape[0])

    def _ring_shadow(self, across: Floats, down: Floats, depth: Floats) -> Field:
        """What the rings leave of the sunlight on the globe."""
        fold = np.float32(np.sin(self._lean))
        lift = down + fold * depth - np.float32(0.10)
        distance = np.sqrt(across**2 + (lift / 0.42) ** 2)
        strip = np.exp(-((lift / 0.085) ** 2)) * (distance < 1.5)
        return (1 - 0.62 * strip * smoothstep(0.0, 0.4, depth)).astype(np.float32)

    def _ring(self, globe: Field) -> tuple[Field, Field, Field]:
        """The rings' colour, how much of them is seen, and how much they hide of the globe (their near half)."""
        across = self._across
        flat = self._down / np.float32(np.sin(self._lean))
        far = np.hypot(across, flat)
        s = (far - 1.28) / (2.32 - 1.28)
        opacity = np.interp(s.reshape(-1), np.linspace(0, 1, 512), self._ring_light, left=0, right=0)
        opacity = opacity.reshape(s.shape).astype(np.float32)
        # The globe's shadow falls on the rings away from the sun.
        sun_x, sun_z = float(self._sun[0]), float(self._sun[2]) * 0.6
        along = across * sun_x + flat * sun_z
        aside = np.abs(across * sun_z - flat * sun_x).astype(np.float32)
        shade = 1 - 0.94 * smoothstep(0.95, 0.87, aside) * (along < 0)
        colour = array((0.86, 0.76, 0.62)) * (0.35 + 0.65 * opacity[..., None]) * shade[..., None] * 0.95
        cover = opacity * 0.92
        front = (cover * (flat > 0)).astype(np.float32)
        seen = np.where(flat > 0, cover, cover * (1 - globe)).astype(np.float32)
        return colour.astype(np.float32), seen, front
