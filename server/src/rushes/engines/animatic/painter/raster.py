"""The few OpenCV operations that the painter lives on, with the types that they keep.

An operation returns an array of the type it was given, which OpenCV's own annotations do not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Field = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
"""Either precision; numpy gives float64 for many an expression, and what leaves a function is a Field again."""
Array = TypeVar("Array", Plane, Field)


def single(values: Floats) -> Field:
    """The values in single precision; not copied if they are already."""
    return values.astype(np.float32, copy=False)


def resized(source: Array, size: tuple[int, int], *, area: bool = False, cubic: bool = False) -> Array:
    """The picture at another size (width, height): bilinear, or averaged over areas, or bicubic."""
    how = cv2.INTER_AREA if area else cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return cast("Array", cv2.resize(source, size, interpolation=how))


def sampled(source: Array, x: Floats, y: Floats, border: int = cv2.BORDER_CONSTANT) -> Array:
    """Bilinear samples at pixel positions; outside the picture 0, or what `border` says.

    Planes one by one: of two channels at once OpenCV takes more than twice as long, and knows 32 places in a pixel.
    """
    return cast("Array", cv2.remap(source, single(x), single(y), cv2.INTER_LINEAR, borderMode=border))


def warped(source: Array, matrix: Field, size: tuple[int, int], *, inverse: bool = False,
           border: int = cv2.BORDER_CONSTANT) -> Array:  # fmt: skip
    """The picture moved by a 2x3 affine map into a frame of `size`; `inverse` maps from frame to picture."""
    flags = cv2.INTER_LINEAR | (cv2.WARP_INVERSE_MAP if inverse else 0)
    return cast("Array", cv2.warpAffine(source, matrix, size, flags=flags, borderMode=border))


def product(a: Plane, b: Plane, scale: float = 1 / 255) -> Plane:
    """a x b x scale, rounded and saturated."""
    return cast("Plane", cv2.multiply(a, b, scale=scale))


def total(a: Array, b: Array) -> Array:
    """a + b, saturated in 8 bits."""
    return cast("Array", cv2.add(a, b))


def combined(a: Plane, of_a: float, b: Plane, of_b: float, offset: float = 0.0) -> Plane:
    """of_a x a + of_b x b + offset, rounded and saturated."""
    return cast("Plane", cv2.addWeighted(a, of_a, b, of_b, offset))


def weighted(a: Plane, share: float, b: Plane) -> Plane:
    """share x a + (1 - share) x b."""
    return cast("Plane", cv2.addWeighted(a, share, b, 1 - share, 0))


def blended(a: Plane, b: Plane, share: Field) -> Plane:
    """share x a + (1 - share) x b, pixel by pixel."""
    return cast("Plane", cv2.blendLinear(a, b, share, 1 - share))


def inverted(a: Plane) -> Plane:
    """255 - a."""
    return cast("Plane", cv2.bitwise_not(a))


def graded(a: Plane, gain: float, offset: float = 0.0) -> Plane:
    """|a x gain + offset|, rounded and saturated."""
    return cast("Plane", cv2.convertScaleAbs(a, alpha=gain, beta=offset))


def as_bytes(field: Floats) -> Plane:
    """Rounded and saturated to 8 bits."""
    values = single(field)
    # A sum that is stored as bytes is rounded in the same pass.
    return cast("Plane", cv2.addWeighted(values, 1, values, 0, 0, dtype=cv2.CV_8U))


def total_bytes(a: Array, b: Field) -> Plane:
    """a + b, rounded and saturated to 8 bits once."""
    return cast("Plane", cv2.add(a, b, dtype=cv2.CV_8U))


def blurred(source: Array, sigma: float) -> Array:
    """Gaussian blur."""
    return cast("Array", cv2.GaussianBlur(source, (0, 0), sigma))


def linear_map(source: Field, matrix: Field) -> Field:
    """Each pixel's channels times a matrix, with an optional last column to add."""
    return cast("Field", cv2.transform(source, matrix))


def bordered(plane: Plane, above: int, below: int, left: int, right: int) -> Plane:
    """The picture with so many rows and columns more, its edges repeated."""
    return cast("Plane", cv2.copyMakeBorder(plane, above, below, left, right, cv2.BORDER_REPLICATE))


def filled(plane: Plane, outline: Floats, value: int, scale: float = 1.0, *, soft: bool = True) -> None:
    """Fill a polygon (n, 2), its points times `scale`, in place, with soft edges or with hard ones."""
    points = np.round(outline * scale * 16).astype(np.int32)
    cv2.fillPoly(plane, [points], [value], lineType=cv2.LINE_AA if soft else cv2.LINE_8, shift=4)


def sixteenths(points: Floats) -> NDArray[np.int32]:
    """Points in the sixteenths of a pixel that polygons are filled by."""
    return np.round(points * 16).astype(np.int32)


def fill_all(plane: Plane, outlines: Sequence[NDArray[np.int32]], value: int, *, soft: bool = True) -> None:
    """Fill polygons, in sixteenths of a pixel, one by one and in place, with soft edges or with hard ones."""
    for outline in outlines:
        cv2.fillPoly(plane, [outline], [value], lineType=cv2.LINE_AA if soft else cv2.LINE_8, shift=4)


def strokes(plane: Plane, lines: Sequence[NDArray[np.int32]], value: Sequence[int], thick: int) -> None:
    """Draw soft-edged lines in place; points in sixteenths of a pixel, one value per channel."""
    cv2.polylines(plane, lines, isClosed=False, color=value, thickness=max(1, thick), lineType=cv2.LINE_AA, shift=4)


def channels(source: Array) -> list[Array]:
    """The channels of an (h, w, n) picture as planes of their own."""
    return cast("list[Array]", list(cv2.split(source)))


def joined(planes: Field) -> Field:
    """Planes (n, h, w) as one picture (h, w, n)."""
    return cast("Field", cv2.merge(list(planes)))


def averaged(source: Plane, columns: int, rows: int) -> Plane:
    """The mean over a box around each pixel."""
    return cast("Plane", cv2.blur(source, (columns, rows)))


def inverse_fourier(spectrum: NDArray[np.complex64]) -> Field:
    """The unscaled inverse transform of a square spectrum: real and imaginary parts, (n, n, 2)."""
    pairs = spectrum.view(np.float32).reshape(*spectrum.shape, 2)
    return cast("Field", cv2.dft(pairs, flags=cv2.DFT_INVERSE))
