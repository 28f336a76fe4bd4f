"""Array types, and the few OpenCV calls used everywhere, typed. OpenCV's own types promise no element type."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

_NO_MAP = cast(F32, None)
"""The second map of cv2.remap, unused beside one map of two channels. An empty array instead of it draws garbage."""


def f32(values: object) -> F32:
    """The values as float32, without a copy where they are already."""
    return np.asarray(values, dtype=np.float32)


def u8(values: object) -> U8:
    """The values as uint8, without a copy where they are already."""
    return np.asarray(values, dtype=np.uint8)


def resize_f32(image: F32, width: int, height: int) -> F32:
    """Linear interpolation to a new size."""
    return f32(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))


def resize_u8(image: U8, width: int, height: int) -> U8:
    """The best cheap way to a new size: area averaging down, Lanczos over 8x8 pixels up."""
    down = width <= image.shape[1] and height <= image.shape[0]
    if (image.shape[1], image.shape[0]) == (width, height):
        return image
    return u8(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if down else cv2.INTER_LANCZOS4))


def blur(image: F32, sigma: float, sigma_down: float | None = None) -> F32:
    """Gaussian blur across and down, in pixels; the border is reflected."""
    down = sigma if sigma_down is None else sigma_down
    return f32(cv2.GaussianBlur(image, (0, 0), float(sigma), sigmaY=float(down), borderType=cv2.BORDER_REFLECT))


def sample(image: F32, points: F32) -> F32:
    """Bilinear samples of an image at pixel positions, shape (rows, columns, 2); the border is repeated."""
    return f32(cv2.remap(image, points, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def sample_into(image: U8, points: F32, out: U8) -> None:
    """The same for bytes, written to a plane of the size of `points`."""
    cv2.remap(image, points, _NO_MAP, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)


def planes(frame: U8, width: int, height: int) -> tuple[U8, U8, U8]:
    """Views of the Y, U and V planes inside one I420 frame of shape (height * 3 // 2, width)."""
    flat = frame.reshape(-1)
    luma, quarter = width * height, width * height // 4
    half: Sequence[int] = (height // 2, width // 2)
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + quarter].reshape(half),
        flat[luma + quarter :].reshape(half),
    )
