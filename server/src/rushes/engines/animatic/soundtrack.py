"""The sound of a scene: shaped noise for wind, water and traffic, small voices for birds and insects, a quiet chord.

Everything is synthesised from the prompt's words and the seed; no recording is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.words import Reading, read
from rushes.engines.engine import Audio

RATE = 48_000
PEAK = 0.5
Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Session:
    """What every voice needs: the length, and random numbers per voice."""

    samples: int
    seed: int
    prompt: str

    @property
    def seconds(self) -> float:
        return self.samples / RATE

    def rng(self, voice: str) -> np.random.Generator:
        words = (int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") for text in (voice, self.prompt))
        return np.random.default_rng([self.seed & (2**63 - 1), *words])

    def time(self) -> NDArray[np.float64]:
        """Seconds of every sample."""
        return np.arange(self.samples) / RATE


def _wave(values: NDArray[np.floating[Any]]) -> Wave:
    return values.astype(np.float32, copy=False)


def _noise(session: _Session, rng: np.random.Generator, slope: float, low: float, high: float) -> Wave:
    """Stereo noise, power falling as 1/f^slope between `low` and `high` Hz, standard deviation 1, (samples, 2)."""
    length = 1 << max(session.samples - 1, 1).bit_length()
    f = np.fft.rfftfreq(length, 1 / RATE)
    f[0] = f[1]
    gain = (f / low) ** (-slope / 2) / (1 + (low / f) ** 4) / (1 + (f / high) ** 4)
    spectrum = np.fft.rfft(rng.standard_normal((length, 2), np.float32), axis=0) * gain[:, None]
    # The ears of one listener hear much the same air, so the channels share most of it.
    spectrum = spectrum @ np.array([[0.85, 0.35], [0.35, 0.85]])
    wave = np.fft.irfft(spectrum, n=length, axis=0)[: session.samples]
    return (wave / (wave.std() + 1e-9)).astype(np.float32)


def _swell(session: _Session, rng: np.random.Generator, period: float, depth: float) -> Wave:
    """A slow gain around 1 that wanders by +-depth with the given period in seconds, (samples, 1)."""
    points = int(session.seconds / period * 2) + 4
    values = rng.uniform(-1, 1, points)
    at = np.linspace(0, points - 3, session.samples) + 1
    left = np.floor(at).astype(int)
    part = 0.5 - 0.5 * np.cos(np.pi * (at - left))
    curve = values[left] * (1 - part) + values[left + 1] * part
    return (1 + depth * curve)[:, None].astype(np.float32)


def _wind(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("wind")
    strong = reading.has("wind", "storm", "snowfall")
    body = _noise(session, rng, 1.3, 140, 1100 if strong else 600) * _swell(session, rng, 2.6, 0.55)
    whistle = _noise(session, rng, 1.0, 350, 1300) * _swell(session, rng, 1.9, 0.9) ** 2
    return _wave(body * (0.13 if strong else 0.045) + whistle * (0.020 if strong else 0.004))


def _waves(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("waves")
    calm = reading.has("calm") or reading.biome == "lake"
    period = rng.uniform(5.5, 7.5) * (0.6 if reading.biome == "lake" else 1.0)
    t = session.time()
    out = np.zeros((session.samples, 2), np.float32)
    for n in range(2):
        phase = (t / (period * (1 + 0.23 * n)) + rng.random()) % 1.0
        # A wave comes in slowly, breaks, and drains away.
        surge = np.where(phase < 0.42, (phase / 0.42) ** 2.2, np.exp(-(phase - 0.42) * 5.2))
        pan = 0.5 + 0.32 * np.sin(2 * np.pi * (t / 17 + rng.random()))
        sides = np.stack([np.sqrt(1 - pan), np.sqrt(pan)], axis=1)
        wash = _noise(session, rng, 0.9, 210, 1900) + 0.35 * _noise(session, rng, 0.4, 1200, 5200) * surge[:, None]
        out += (wash * (0.12 + surge[:, None]) * sides).astype(np.float32)
    return out * (0.075 if calm else 0.13)


def _rain(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("rain")
    hiss = _noise(session, rng, 0.5, 900, 9000) * _swell(session, rng, 3.5, 0.22)
    drops = np.zeros((session.samples, 2), np.float32)
    count = int(session.seconds * 140)
    at = rng.integers(0, session.samples, count)
    np.add.at(drops, (at, rng.integers(0, 2, count)), rng.pareto(2.2, count).clip(0, 6).astype(np.float32))
    f = np.fft.rfftfreq(session.samples, 1 / RATE)[:, None]
    ring = 1 / (1 + ((f - 2400) / 1300) ** 2)
    splashes = np.fft.irfft(np.fft.rfft(drops, axis=0) * ring, n=session.samples, axis=0).astype(np.float32)
    return _wave(hiss * (0.075 if reading.has("storm") else 0.045) + splashes * 0.35)


def _stream(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("stream")
    run = _noise(session, rng, 0.9, 300, 2600) * _swell(session, rng, 0.22, 0.35)
    return _wave((run + 0.6 * _noise(session, rng, 0.4, 900, 4800) * _swell(session, rng, 0.11, 0.6)) * 0.038)


def _traffic(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("traffic")
    out = _noise(session, rng, 1.5, 60, 260) * 0.07
    tyres = _noise(session, rng, 1.0, 140, 1300)
    t = session.time()
    for _ in range(max(1, int(session.seconds / 2.4))):
        when, width = rng.uniform(0, session.seconds), rng.uniform(0.7, 1.5)
        near = 1 / (1 + ((t - when) / width) ** 2)
        pan = 0.5 + 0.45 * np.tanh((t - when) / width) * rng.choice([-1.0, 1.0])
        sides = np.stack([np.sqrt(1 - pan), np.sqrt(pan)], axis=1) * (near**2)[:, None]
        out += (np.roll(tyres, int(rng.integers(session.samples)), axis=0) * sides * 0.10).astype(np.float32)
    return out


def _crickets(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("crickets")
    t = session.time()
    out = np.zeros((session.samples, 2), np.float32)
    for _ in range(4):
        pitch, rate, phase = rng.uniform(3900, 4700), rng.uniform(1.5, 2.3), rng.random()
        cycle = (t * rate + phase) % 1.0
        pulses = np.clip(np.sin(2 * np.pi * cycle * rate * 9), 0, 1) ** 2
        chirp = np.sin(2 * np.pi * pitch * t) * pulses * (cycle < 0.42)
        pan = rng.uniform(0.15, 0.85)
        out += (chirp[:, None] * np.array([1 - pan, pan])).astype(np.float32)
    return out * 0.010


def _birds(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("birds")
    out = np.zeros((session.samples, 2), np.float32)
    gulls = reading.biome == "ocean"
    for _ in range(max(2, int(session.seconds * 0.9))):
        start, pan = rng.uniform(0.2, max(session.seconds - 0.8, 0.3)), rng.uniform(0.15, 0.85)
        pitch = rng.uniform(900, 1300) if gulls else rng.uniform(2400, 4600)
        for n in range(int(rng.integers(2, 6))):
            length = rng.uniform(0.16, 0.30) if gulls else rng.uniform(0.05, 0.13)
            samples = int(length * RATE)
            s = np.linspace(0, 1, samples)
            glide = pitch * (1 + (0.28 if gulls else 0.16) * np.sin(np.pi * s) * rng.uniform(-1, 1) - 0.06 * s)
            note = np.sin(2 * np.pi * np.cumsum(glide) / RATE) * np.sin(np.pi * s) ** 2
            if gulls:
                note = note + 0.4 * np.sin(4 * np.pi * np.cumsum(glide) / RATE) * np.sin(np.pi * s) ** 2
            at = int((start + n * length * 1.5) * RATE)
            room = max(0, min(samples, session.samples - at))
            out[at : at + room] += (note[:room, None] * np.array([1 - pan, pan]) * 0.020).astype(np.float32)
    return out


def _fire(session: _Session, reading: Reading) -> Wave:
    rng = session.rng("fire")
    pops = np.zeros((session.samples, 2), np.float32)
    count = int(session.seconds * 22) + 1
    pops[rng.integers(0, session.samples, count)] += rng.pareto(1.6, (count, 1)).clip(0, 9).astype(np.float32)
    f = np.fft.rfftfreq(session.samples, 1 / RATE)[:, None]
    crackle = np.fft.irfft(np.fft.rfft(pops, axis=0) / (1 + ((f - 1500) / 900) ** 2), n=session.samples, axis=0)
    return (_noise(session, rng, 1.4, 60, 500) * 0.05 + 0.5 * crackle).astype(np.float32)


def _pad(session: _Session, reading: Reading) -> Wave:
    """A soft chord of detuned partials that opens slowly; minor in the dark."""
    rng = session.rng("pad")
    root = 82.4 * 2 ** (int(rng.integers(0, 7)) / 12)
    dark = reading.time in ("night", "neon", "overcast") or reading.biome == "space"
    steps = (0, 7, 12, 15, 19, 22) if dark else (0, 7, 12, 16, 19, 26)
    t = session.time()
    out = np.zeros((session.samples, 2))
    for n, step in enumerate(steps):
        pitch = root * 2 ** (step / 12)
        breath = 1 + 0.35 * np.sin(2 * np.pi * (t / rng.uniform(5, 9) + rng.random()))
        for side in (0, 1):
            detune = pitch * (1 + rng.uniform(-0.0022, 0.0022))
            angle = 2 * np.pi * (detune * t + rng.random())
            tone = np.sin(angle) + 0.28 * np.sin(2 * angle) + 0.09 * np.sin(3 * angle)
            out[:, side] += tone * breath / (1 + 0.45 * n)
    opening = np.minimum(1.0, t / min(2.2, session.seconds / 2)) ** 1.5
    return (out * opening[:, None] * 0.0065).astype(np.float32)


Voice = Callable[[_Session, Reading], Wave]


def _voices(reading: Reading) -> list[Voice]:
    """Which voices a reading calls for."""
    voices: list[Voice] = [_wind, _pad]
    outdoors = reading.biome in ("forest", "field", "lake", "river", "mountain")
    raining = reading.has("rain", "storm")
    if reading.biome in ("ocean", "lake"):
        voices.append(_waves)
    if reading.biome == "river":
        voices.append(_stream)
    if reading.biome == "city":
        voices.append(_traffic)
    if raining:
        voices.append(_rain)
    if reading.has("embers"):
        voices.append(_fire)
    if reading.time == "night" and outdoors and not raining and not reading.has("snow", "snowfall"):
        voices.append(_crickets)
    awake = reading.time in ("day", "dawn") and reading.biome in ("forest", "field", "river")
    if reading.has("birds") or (awake and not raining and not reading.has("snow", "snowfall")):
        voices.append(_birds)
    return voices


def soundtrack(prompt: str, seconds: float, seed: int) -> Audio:
    """The sound for a prompt: 48 kHz stereo, `seconds` long, peak 0.5, faded in and out; the same for the same seed."""
    samples = max(2, round(seconds * RATE))
    session = _Session(samples, seed, prompt)
    reading = read(prompt)
    mix = np.zeros((samples, 2), np.float32)
    for voice in _voices(reading):
        mix += voice(session, reading)
    mix -= mix.mean(axis=0)
    rising = min(int(0.4 * RATE), samples // 4)
    falling = min(int(0.9 * RATE), samples // 3)
    if rising:
        mix[:rising] *= np.sin(np.linspace(0, np.pi / 2, rising, dtype=np.float32))[:, None] ** 2
    if falling:
        mix[-falling:] *= np.cos(np.linspace(0, np.pi / 2, falling, dtype=np.float32))[:, None] ** 2
    peak = float(np.abs(mix).max())
    return Audio((mix * (PEAK / peak if peak > 0 else 0.0)).astype(np.float32), RATE)
