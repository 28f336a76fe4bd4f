"""Noise fields: float32, periodic in both directions, mean about 0."""

from __future__ import annotations

import numpy as np

from rushes.engines.animatic.painter.raster import Field, Floats, resized, sampled, single


def spectral(rng: np.random.Generator, size: int, beta: float, low: float = 1.0, high: float = 1e9) -> Field:
    """A (size, size) tile with power 1/f^beta between `low` and `high` cycles per tile; standard deviation 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size), np.float32))
    fy = np.fft.fftfreq(size)[:, None] * size
    fx = np.fft.rfftfreq(size)[None, :] * size
    f = single(np.hypot(fy, fx))
    f[0, 0] = 1.0
    gain = np.exp(np.log(f) * np.float32(-beta / 2)) / (1 + (np.float32(low) / f) ** 4)
    if high < size:
        gain /= 1 + (f / np.float32(high)) ** 4
    gain[0, 0] = 0.0
    tile = np.fft.irfft2(spectrum * gain, s=(size, size)).astype(np.float32)
    return tile / np.float32(tile.std())


def lattice(rng: np.random.Generator, size: int, cells: int) -> Field:
    """One octave of smooth noise: normal values on a cells x cells lattice, bicubic in between, about -1.5 to 1.5."""
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    grid = np.pad(np.clip(grid, -1.6, 1.6), 3, mode="wrap")
    scale = size // cells
    wide = grid.shape[0] * scale
    return resized(grid, (wide, wide), cubic=True)[3 * scale : 3 * scale + size, 3 * scale : 3 * scale + size]


def sample(tile: Floats, u: Floats, v: Floats) -> Field:
    """The tile at (u, v), counted in tiles and wrapped; same shape as u, plus the tile's channels."""
    size = tile.shape[0]
    padded = wrapped(tile)
    return lookup(padded, fraction(u) * size, fraction(v) * size)


def wrapped(tile: Floats) -> Field:
    """The tile with its first row and column repeated at the end, as `lookup` needs it."""
    return single(np.pad(tile, ((0, 1), (0, 1)) + ((0, 0),) * (tile.ndim - 2), mode="wrap"))


def lookup(padded: Field, x: Floats, y: Floats) -> Field:
    """Bilinear samples of a `wrapped` tile at pixel positions inside it."""
    return sampled(padded, x, y)


def fraction(x: Floats) -> Field:
    """What is left of the whole number below, 0 to 1; much faster than the remainder."""
    return single(x - np.floor(x))


def smoothstep(low: float, high: float, x: Floats) -> Field:
    """0 below `low`, 1 above `high`, smooth in between; `low` may be the larger one."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
