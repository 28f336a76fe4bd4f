"""The painter's camera: one smooth path that every layer follows in proportion to its nearness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.words import Reading

Track = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Path:
    """Where the nearest layer (k = 1) is at each frame."""

    x: Track
    """Shift to the right, in frame widths."""
    y: Track
    """Shift downwards, in frame heights."""
    zoom: Track
    """Enlargement beyond 1; never negative."""

    def reach(self) -> tuple[float, float]:
        """The largest shift to any side: (x in widths, y in heights)."""
        return float(np.abs(self.x).max()), float(np.abs(self.y).max())


def _course(count: int) -> Track:
    """0 to 1 at an even speed, with a short run-up and run-down."""
    u = np.linspace(0.0, 1.0, count) if count > 1 else np.zeros(1)
    ramp = 0.12
    v = 1 / (1 - ramp)
    rising = v * u**2 / (2 * ramp)
    falling = 1 - v * (1 - u) ** 2 / (2 * ramp)
    return np.where(u < ramp, rising, np.where(u > 1 - ramp, falling, v * (u - ramp / 2)))


def path_for(reading: Reading, rng: np.random.Generator, count: int, fps: int) -> Path:
    """The path a prompt asks for; without a camera word a slow push or a drift to one side, chosen by `rng`."""
    drawn = ("in", "left", "right")[int(rng.integers(3))]
    moves = reading.moves or (drawn,)
    if moves == ("aerial",):
        moves = ("aerial", "in")
    reach = (max(count, 2) / fps / 5) ** 0.8 * reading.speed
    reach = min(reach, 2.6)
    u = _course(count)
    x, y, zoom = (np.zeros(count) for _ in range(3))
    # A pan to the right moves the picture to the left. Sideways moves are centred, so both margins are used.
    sideways = (moves.count("left") - moves.count("right")) * 0.085 * reach
    x += sideways * (u - 0.5)
    y += (moves.count("up") - moves.count("down")) * 0.09 * reach * (u - 0.5)
    if "aerial" in moves:
        y += 0.035 * reach * (u - 0.5)
    push = 0.16 * reach
    # A zoom never passes exactly 1: there pixels would meet pixels, and the picture be sharper than just after.
    if "in" in moves:
        zoom += 0.012 + np.expm1(push * u)
    if "out" in moves:
        zoom += 0.012 + np.expm1(push * (1 - u))
    return Path(x, y, zoom)
