"""The stage: everything the parts of a scene agree on before any of them is painted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from rushes.engines.animatic.painter.camera import Path, path_for
from rushes.engines.animatic.painter.light import Light, light_for, varied
from rushes.engines.animatic.painter.words import Reading, read

HORIZONS = {
    "mountain": 0.60, "ocean": 0.52, "lake": 0.60, "river": 0.50, "forest": 0.60, "city": 0.56, "desert": 0.46,
    "field": 0.56, "sky": 0.90, "space": 0.5, "abstract": 0.5,
}  # fmt: skip
"""Row of the horizon as a share of the height."""
ROOM = {
    "mountain": 0.06, "ocean": 0.09, "lake": 0.06, "river": 0.04, "forest": 0.05, "city": 0.04, "desert": 0.07,
    "field": 0.09, "sky": 0.03,
}  # fmt: skip
"""How far the seed may move it, up or down."""


def _word(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@dataclass(frozen=True, slots=True)
class Stage:
    """Size, length, light, camera and random numbers of one scene. Rows and columns are pixels, y downwards."""

    prompt: str
    width: int
    height: int
    count: int
    fps: int
    seed: int
    reading: Reading
    light: Light
    path: Path
    horizon: float
    """Row of the horizon."""
    sun_x: float
    """Column of the sun."""
    focus: float
    """Where in the width the subject stands, 0 left to 1 right."""

    @property
    def unit(self) -> float:
        """The length that sizes are counted in: the frame's height, less in very tall frames."""
        return float(min(self.height, 1.25 * self.width))

    @property
    def sun_y(self) -> float:
        """Row of the sun."""
        return self.horizon - self.light.sun_height * self.unit

    @property
    def tempo(self) -> float:
        """How fast the scene's own time runs: 1, more in a time lapse, less in slow motion."""
        if self.reading.has("timelapse"):
            return 6.0
        return 0.45 if self.reading.has("slowmotion") else 1.0

    def seconds(self, i: int) -> float:
        """Seconds since the first frame."""
        return i / self.fps

    def vary(self, tag: str, low: float, high: float) -> float:
        """A number of this scene's composition, drawn by the seed."""
        return float(self.rng("vary " + tag).uniform(low, high))

    def either(self, tag: str) -> float:
        """1 or -1, drawn by the seed."""
        return 1.0 if self.rng("either " + tag).random() < 0.5 else -1.0

    def rng(self, tag: str) -> np.random.Generator:
        """Random numbers of one part; a new part shifts no other."""
        return np.random.default_rng([self.seed & (2**63 - 1), _word(tag), _word(self.prompt)])


def stage_for(prompt: str, width: int, height: int, count: int, fps: int, seed: int) -> Stage:
    """The stage for a prompt; pure."""
    reading = read(prompt)
    rng = np.random.default_rng([seed & (2**63 - 1), _word("stage"), _word(prompt)])
    light = varied(
        light_for(reading), reading, np.random.default_rng([seed & (2**63 - 1), _word("light"), _word(prompt)])
    )
    horizon = HORIZONS[reading.biome] + (0.06 if height > width and reading.biome not in ("city", "sky") else 0.0)
    if reading.biome == "sky" and reading.has("above"):
        horizon = 0.58
    if "aerial" in reading.moves:
        horizon -= 0.10
    horizon += float(rng.uniform(-1, 1)) * ROOM.get(reading.biome, 0.0)
    side = float(rng.uniform(0.10, 0.38)) * (1 if rng.random() < 0.5 else -1)
    if reading.biome in ("ocean", "lake", "river") or width < height:
        side *= 0.55
    path = path_for(reading, rng, count, fps)
    sun_x = width * (0.5 + side)
    focus = 0.5 + float(rng.uniform(0.02, 0.16)) * (1 if rng.random() < 0.5 else -1)
    return Stage(prompt, width, height, count, fps, seed, reading, light, path, horizon * height, sun_x, focus)
