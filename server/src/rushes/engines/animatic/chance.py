"""Random numbers that depend on nothing but the request: one generator per part, so a new part shifts no other."""

from enum import IntEnum
from hashlib import sha256

import numpy as np


class Part(IntEnum):
    """The parts that draw random numbers. Numbers are never used again for something else."""

    CAMERA = 1
    HAND = 2


def generator(seed: int, part: Part, prompt: str) -> np.random.Generator:
    """The generator of one part of one request."""
    digest = int.from_bytes(sha256(prompt.encode()).digest()[:4], "big")
    return np.random.default_rng([seed, int(part), digest])
