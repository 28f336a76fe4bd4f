"""A patch of moving water: the slopes of a sea of random waves with the dispersion of deep water.

After J. Tessendorf, Simulating Ocean Water (SIGGRAPH course notes, 2001): a random spectrum whose waves turn at
sqrt(g k), put together by one inverse Fourier transform per frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rushes.engines.animatic.painter.raster import Field, channels, inverse_fourier

SIZE = 256


class Waves:
    """Slopes of a periodic patch `length` metres wide; `rough` is their standard deviation."""

    def __init__(self, rng: np.random.Generator, length: float, rough: float, step_seconds: float) -> None:
        n = np.fft.fftfreq(SIZE) * SIZE
        kx, ky = np.meshgrid(n * 2 * np.pi / length, n * 2 * np.pi / length)
        k = np.hypot(kx, ky)
        k[0, 0] = 1.0
        wind = rng.uniform(0.9, 2.2)
        facing = np.cos(np.arctan2(ky, kx) - wind)
        power = k**-3.9 * (0.18 + facing**2) * np.exp(-((k * length / SIZE / 1.7) ** 2))
        power *= 1 - np.exp(-((k * length / (2 * np.pi) / 2.2) ** 2))
        power[0, 0] = 0.0
        draw = rng.standard_normal((2, SIZE, SIZE))
        h0 = np.sqrt(power) * (draw[0] + 1j * draw[1])
        mirrored = np.roll(h0[::-1, ::-1], (1, 1), axis=(0, 1))
        turn = 1j * kx - ky
        slopes = np.abs(turn) ** 2 * (np.abs(h0) ** 2 + np.abs(mirrored) ** 2)
        gain = rough / np.sqrt(slopes.sum() / 2 + 1e-12)
        self._forward: NDArray[np.complex64] = (turn * h0 * gain).astype(np.complex64)
        self._backward: NDArray[np.complex64] = (turn * np.conj(mirrored) * gain).astype(np.complex64)
        omega = np.sqrt(9.81 * k)
        self._step: NDArray[np.complex64] = np.exp(1j * omega * step_seconds).astype(np.complex64)
        self._phase: NDArray[np.complex64] = np.ones((SIZE, SIZE), np.complex64)

    def slopes(self) -> list[Field]:
        """The next moment: slopes across and along, each (SIZE + 1, SIZE + 1), first row and column repeated."""
        spectrum = self._forward * self._phase + self._backward * np.conj(self._phase)
        self._phase *= self._step
        return channels(np.pad(inverse_fourier(spectrum), ((0, 1), (0, 1), (0, 0)), mode="wrap"))
