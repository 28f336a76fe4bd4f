"""The light of a scene: colours of sky, sun, haze and water per time of day, in scene-linear RGB."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rushes.engines.animatic.painter.colour import Rgb, mix, scaled
from rushes.engines.animatic.painter.words import Reading


@dataclass(frozen=True, slots=True)
class Light:
    """One palette. Linear values; 0.18 shows as a middle tone, 1 as bright, 4 as white."""

    zenith: Rgb
    middle: Rgb
    horizon: Rgb
    sun: Rgb
    """Colour of the sun or moon and of its glow."""
    sun_height: float
    """Centre of the disc above the horizon, in frame heights; negative when it has set."""
    sun_size: float
    """Radius of the disc in frame heights."""
    glow: float
    key: Rgb
    """Direct light on the ground."""
    fill: Rgb
    """Light from the whole sky on the ground."""
    haze: Rgb
    """What distance turns into."""
    cloud: Rgb
    """Lit side of clouds."""
    shade: Rgb
    """Dark side of clouds."""
    cover: float
    """Share of the sky under clouds, 0..1."""
    water: Rgb
    """What deep water scatters back."""
    stars: float = 0.0


LIGHTS: dict[str, Light] = {
    "day": Light(
        zenith=(0.035, 0.115, 0.33), middle=(0.10, 0.24, 0.50), horizon=(0.42, 0.56, 0.70),
        sun=(1.0, 0.93, 0.80), sun_height=0.44, sun_size=0.018, glow=0.9,
        key=(1.25, 1.10, 0.88), fill=(0.13, 0.19, 0.30), haze=(0.36, 0.49, 0.64),
        cloud=(1.15, 1.12, 1.06), shade=(0.34, 0.41, 0.52), cover=0.44, water=(0.012, 0.060, 0.085),
    ),
    "sunset": Light(
        zenith=(0.028, 0.052, 0.150), middle=(0.25, 0.105, 0.125), horizon=(1.05, 0.30, 0.050),
        sun=(1.0, 0.40, 0.085), sun_height=0.075, sun_size=0.030, glow=1.7,
        key=(1.35, 0.60, 0.24), fill=(0.070, 0.075, 0.150), haze=(0.36, 0.145, 0.145),
        cloud=(1.10, 0.31, 0.125), shade=(0.085, 0.060, 0.130), cover=0.47, water=(0.014, 0.020, 0.045),
    ),
    "dawn": Light(
        zenith=(0.075, 0.125, 0.28), middle=(0.32, 0.255, 0.34), horizon=(0.98, 0.50, 0.27),
        sun=(1.0, 0.58, 0.27), sun_height=0.055, sun_size=0.022, glow=1.35,
        key=(1.10, 0.64, 0.38), fill=(0.13, 0.14, 0.215), haze=(0.54, 0.375, 0.345),
        cloud=(1.08, 0.60, 0.42), shade=(0.22, 0.20, 0.30), cover=0.40, water=(0.020, 0.038, 0.062),
    ),
    "night": Light(
        zenith=(0.0045, 0.0085, 0.024), middle=(0.0085, 0.018, 0.047), horizon=(0.024, 0.047, 0.088),
        sun=(0.62, 0.72, 0.90), sun_height=0.33, sun_size=0.021, glow=0.16,
        key=(0.105, 0.140, 0.205), fill=(0.015, 0.025, 0.048), haze=(0.026, 0.048, 0.088),
        cloud=(0.062, 0.080, 0.118), shade=(0.011, 0.017, 0.034), cover=0.28, water=(0.0025, 0.006, 0.014),
        stars=1.0,
    ),
    "overcast": Light(
        zenith=(0.120, 0.160, 0.215), middle=(0.235, 0.285, 0.345), horizon=(0.44, 0.485, 0.53),
        sun=(0.85, 0.87, 0.90), sun_height=0.36, sun_size=0.0, glow=0.22,
        key=(0.27, 0.275, 0.28), fill=(0.21, 0.25, 0.30), haze=(0.385, 0.435, 0.485),
        cloud=(0.47, 0.50, 0.54), shade=(0.20, 0.235, 0.275), cover=0.78, water=(0.020, 0.036, 0.042),
    ),
    "neon": Light(
        zenith=(0.008, 0.007, 0.030), middle=(0.040, 0.014, 0.095), horizon=(0.36, 0.050, 0.30),
        sun=(1.0, 0.20, 0.52), sun_height=0.10, sun_size=0.075, glow=0.75,
        key=(0.42, 0.08, 0.34), fill=(0.022, 0.044, 0.110), haze=(0.120, 0.034, 0.165),
        cloud=(0.23, 0.05, 0.23), shade=(0.016, 0.014, 0.055), cover=0.36, water=(0.006, 0.012, 0.040),
        stars=0.45,
    ),
}  # fmt: skip


def _weathered(light: Light, reading: Reading) -> Light:
    if reading.has("storm"):
        light = replace(
            light,
            zenith=scaled(light.zenith, 0.55), middle=scaled(light.middle, 0.6), shade=scaled(light.shade, 0.5),
            cloud=scaled(light.cloud, 0.7), key=scaled(light.key, 0.6), cover=max(light.cover, 0.85),
            sun_size=0.0, glow=light.glow * 0.5,
        )  # fmt: skip
    elif reading.has("rain", "snowfall"):
        grey = sum(light.horizon) / 3
        light = replace(
            light, cover=max(light.cover, 0.72), key=scaled(light.key, 0.6), glow=light.glow * 0.6,
            horizon=mix(light.horizon, (grey, grey * 1.02, grey * 1.05), 0.45), stars=light.stars * 0.2,
            haze=mix(light.haze, (grey * 0.85, grey * 0.88, grey * 0.92), 0.35),
        )  # fmt: skip
    if reading.has("fog"):
        pale = scaled(mix(light.haze, light.horizon, 0.45), 1.12)
        light = replace(
            light, haze=pale, key=scaled(light.key, 0.8), cover=min(light.cover, 0.10), glow=light.glow * 1.15,
            zenith=mix(scaled(light.zenith, 1.35), pale, 0.12), middle=mix(scaled(light.middle, 1.2), pale, 0.3),
        )  # fmt: skip
    return light


def _open(light: Light, reading: Reading) -> Light:
    """Nothing but air: a higher sun by day, a deeper zenith, and as many clouds as the words ask for."""
    cover = 0.16 if reading.has("clear") else min(light.cover + (0.16 if reading.has("clouds") else 0.0), 0.66)
    if reading.time == "overcast":
        cover = 0.92
    if reading.time == "day":
        height = 0.40 if reading.has("above") else 0.66
        light = replace(light, sun_height=height, zenith=scaled(light.zenith, 0.8), glow=0.75)
    if reading.time in ("night", "overcast") and not reading.has("above"):
        light = replace(light, sun_height=light.sun_height + 0.26)
    if reading.has("storm"):
        light = replace(light, horizon=scaled(light.horizon, 0.55), haze=scaled(light.haze, 0.6))
    return replace(light, cover=cover)


def varied(light: Light, reading: Reading, rng: np.random.Generator) -> Light:
    """The palette as days differ: more or fewer clouds, a higher or lower sun, a warmer or cooler tone."""
    bound = reading.has("clear", "clouds", "aurora", "milkyway", "storm", "fog") or reading.time == "overcast"
    cover = light.cover * (1.0 if bound else float(rng.uniform(0.35, 1.35)))
    climb = 0.018 if light.sun_height < 0.2 else 0.09
    height = light.sun_height + float(rng.uniform(-1, 1)) * climb
    warm, deep = float(rng.uniform(-0.07, 0.07)), float(rng.uniform(0.85, 1.12))
    tint = (1 + warm, 1.0, 1 - warm)

    def tinted(colour: Rgb, gain: float = 1.0) -> Rgb:
        return colour[0] * tint[0] * gain, colour[1] * tint[1] * gain, colour[2] * tint[2] * gain

    return replace(
        light, cover=min(cover, max(light.cover, 0.66)), sun_height=height, zenith=tinted(light.zenith, deep),
        middle=tinted(light.middle, deep), horizon=tinted(light.horizon), haze=tinted(light.haze),
            key=tinted(light.key),
        cloud=tinted(light.cloud),
    )  # fmt: skip


def light_for(reading: Reading) -> Light:
    """The palette of a reading: its time of day, changed by its weather."""
    light = LIGHTS[reading.time]
    if reading.time == "day" and reading.has("snowfall", "rain", "storm", "fog"):
        light = LIGHTS["overcast"]
    if reading.has("clouds") and reading.time == "day":
        light = replace(light, cover=0.56)
    if reading.has("aurora", "milkyway") and not reading.has("clouds"):
        light = replace(light, cover=0.0, sun_size=0.0, glow=0.0)
    if reading.time == "night" and not reading.has("moon") and reading.biome != "sky":
        light = replace(light, sun_size=0.0, glow=light.glow * 0.35)
    if reading.biome == "city" and reading.time == "night":
        # Its own light hangs over a city and drowns the fainter stars.
        light = replace(light, horizon=(0.21, 0.125, 0.085), haze=(0.070, 0.052, 0.058), middle=(0.032, 0.030, 0.056),
                        stars=0.35)  # fmt: skip
    if reading.biome == "city" and reading.time in ("sunset", "dawn"):
        # Towers stand against the light.
        light = replace(light, haze=mix(scaled(light.haze, 0.6), (0.07, 0.06, 0.13), 0.5), key=scaled(light.key, 0.22))
    if reading.biome == "desert" and reading.time == "day":
        light = replace(
            light, cover=0.12, glow=1.5, haze=(0.60, 0.50, 0.40), horizon=(0.62, 0.62, 0.60),
            key=(1.40, 1.12, 0.78), sun_height=0.34, sun_size=0.024,
        )  # fmt: skip
    if reading.biome == "sky":
        light = _open(light, reading)
    if reading.biome == "mountain" and reading.time in ("sunset", "dawn"):
        light = replace(light, sun_height=light.sun_height + 0.19)
    return _weathered(light, reading)
