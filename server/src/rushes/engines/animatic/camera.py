"""The camera's path: from a prompt to one position per frame. Coordinates: x in [-1, 1], y in [-h/w, h/w], down."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.chance import Part, generator
from rushes.engines.animatic.grammar import Direction, Move, MoveKind, read_camera

RAMP = 0.22
STRENGTH = 3.6
MOST = 9.0
"""The amplitude at which long or fast moves stop growing; beyond it the plate would be enlarged too far."""
HAND_SECONDS = 0.8
_HAND = {"static": 0.0, "organic": 0.0012, "handheld": 0.0085}

F64 = NDArray[np.float64]

_STEP: dict[MoveKind, dict[str, float]] = {
    # Per unit of amplitude: pan, truck and tilt in half widths, zoom as a logarithm, roll in radians.
    "pan": {"pan_x": 0.034, "truck_x": 0.006},
    "tilt": {"pan_y": 0.026},
    "truck": {"truck_x": 0.024, "pan_x": 0.012},
    "crane": {"truck_y": 0.020, "pan_y": 0.012},
    "zoom": {"zoom": 0.055},
    "dolly": {"push": 0.030, "zoom": 0.028},
    "vertigo": {"push": 0.045},
    "orbit": {"truck_x": 0.028, "pan_x": -0.006},
    "roll": {"roll": -0.012},
}


def ease(u: NDArray[np.floating]) -> F64:
    """Position 0 to 1 over time 0 to 1: constant speed between two ramps of 0.22, its derivative continuous."""
    v = 1 / (1 - RAMP)
    u = np.clip(np.asarray(u, np.float64), 0.0, 1.0)
    mirrored = np.minimum(u, 1 - u)
    near = np.where(mirrored < RAMP, v * mirrored**2 / (2 * RAMP), v * (mirrored - RAMP / 2))
    return np.where(u <= 0.5, near, 1 - near)


@dataclass(frozen=True, slots=True)
class Path:
    """Where the camera is at each frame, seven arrays of one length.

    pan: shift of the view, half widths. truck: parallax shift, half widths per unit of nearness. push: parallax zoom.
    zoom: natural logarithm of the magnification. roll: radians.
    """

    pan_x: F64
    pan_y: F64
    truck_x: F64
    truck_y: F64
    push: F64
    zoom: F64
    roll: F64

    @property
    def count(self) -> int:
        return len(self.pan_x)

    @classmethod
    def still(cls, count: int) -> Self:
        """A camera that does not move."""
        return cls(*(np.zeros(count) for _ in range(7)))

    def plus(self, other: "Path", share: float = 1.0) -> "Path":
        """This path with a share of another one on top."""
        return Path(*(mine + share * theirs for mine, theirs in zip(self.arrays(), other.arrays(), strict=True)))

    def leaving(self) -> "Path":
        """The same motion, shifted to start at rest in the middle."""
        return Path(*(values - values[0] for values in self.arrays()))

    def arriving(self) -> "Path":
        """The same motion, shifted to end at rest in the middle."""
        return Path(*(values - values[-1] for values in self.arrays()))

    def arrays(self) -> tuple[F64, ...]:
        return (self.pan_x, self.pan_y, self.truck_x, self.truck_y, self.push, self.zoom, self.roll)


def directed(prompt: str, seed: int) -> Direction:
    """The prompt's camera with nothing left open: a missing move or side is drawn from the seed."""
    found = read_camera(prompt)
    random = generator(seed, Part.CAMERA, prompt)
    side = 1 if random.random() < 0.5 else -1
    picks = [Move("dolly", 1), Move("truck", -1), Move("truck", 1), Move("orbit", side)]
    pick = int(random.integers(len(picks)))
    hold = found.hold or "organic"
    if hold == "static":
        return replace(found, moves=(), hold=hold)
    if not found.moves and found.hold is None:
        open_picks = [move for move in picks[pick:] + picks[:pick] if move.kind not in found.refused]
        return replace(found, moves=tuple(open_picks[:1]), hold=hold)
    return replace(found, moves=tuple(replace(move, sign=move.sign or side) for move in found.moves), hold=hold)


def travel(direction: Direction, count: int, fps: int) -> Path:
    """The path of a direction's moves, without the hand. Two moves go three quarters of their way each.

    A move backward out of the picture (zoom out, dolly out) starts in and ends at the whole picture.
    """
    seconds = count / fps
    share = 0.75 if len(direction.moves) > 1 else 1.0
    progress = ease(np.linspace(0.0, 1.0, count) if count > 1 else np.zeros(1))
    values = dict(zip(Path.__slots__, Path.still(count).arrays(), strict=True))
    for move in direction.moves:
        reach = min(STRENGTH * (seconds / 5) ** 0.8 * move.speed, MOST) * share
        inward = move.kind in ("zoom", "dolly")
        going = 1 - progress if inward and move.sign < 0 else progress
        for axis, step in _STEP[move.kind].items():
            values[axis] = values[axis] + step * reach * going * (1 if inward else move.sign)
    return Path(**values)


def hand(direction: Direction, count: int, fps: int, seed: int, prompt: str) -> Path:
    """The hand that holds the camera: value noise near 1 Hz in three octaves on pan, roll and truck; no fade yet."""
    size = _HAND[direction.hold or "organic"]
    random = generator(seed, Part.HAND, prompt)
    seconds = count / fps
    waves = [_value_noise(random, count, seconds) for _ in range(5)]
    still = Path.still(count)
    if not size:
        return still
    return replace(
        still,
        pan_x=size * waves[0],
        pan_y=size * waves[1],
        roll=0.5 * size * waves[2],
        truck_x=0.5 * size * waves[3],
        truck_y=0.5 * size * waves[4],
    )


def hand_fade(count: int, fps: int, *, start: bool = True, end: bool = False) -> F64:
    """Weights for the hand: 0 at the frames that must equal a picture, 1 from 0.8 s on (or less in a short clip)."""
    ramp = max(min(HAND_SECONDS * fps, count / 2), 1.0)
    frames = np.arange(count, dtype=np.float64)
    fade = np.ones(count)
    if start:
        fade *= _smooth(frames / ramp)
    if end:
        fade *= _smooth((count - 1 - frames) / ramp)
    return fade


def scaled(path: Path, weights: F64) -> Path:
    """A path with every value weighted per frame."""
    return Path(*(values * weights for values in path.arrays()))


def _smooth(t: F64) -> F64:
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _value_noise(random: np.random.Generator, count: int, seconds: float) -> F64:
    """Noise of about 1 Hz, between -1 and 1; cubic between the knots, three octaves."""
    total = np.zeros(count)
    for octave in range(3):
        rate = 0.9 * (1 << octave)
        knots = random.uniform(-1, 1, int(np.ceil(seconds * rate)) + 4)
        at = np.linspace(1.0, 1.0 + seconds * rate, count)
        base = np.floor(at).astype(np.int64)
        t = at - base
        a, b, c, d = knots[base - 1], knots[base], knots[base + 1], knots[base + 2]
        cubic = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        total += cubic * 0.5**octave
    return total / 1.75
