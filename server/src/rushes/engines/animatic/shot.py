"""What fills the frames of a video: a picture under a moving camera."""

from typing import Protocol

import cv2
import numpy as np

from rushes.engines.animatic.camera import F64, Path
from rushes.engines.animatic.depth import nearness
from rushes.engines.animatic.pixels import F32, U8, resize_u8
from rushes.engines.animatic.plate import Plate
from rushes.engines.animatic.warp import Warp

EXACT_PIXELS = 1.0
"""How far the camera may have moved while the picture itself still shows through: more would blur."""


class Shot(Protocol):
    """Draws any frame, in ascending order, as a new I420 frame of shape (height * 3 // 2, width)."""

    def draw(self, i: int) -> U8: ...


class PictureShot:
    """A picture seen by a camera that moves. Where the camera has not moved yet, the picture itself is shown.

    `fade` are the weights of the hand's motion; the view is enlarged along them and along the deliberate path to stay
    inside the picture.
    """

    def __init__(self, plate: Plate, path: Path, hand: Path, fade: F64, seed: int) -> None:
        self.plate = plate
        near = nearness_of(plate, seed)
        self.warp = Warp(plate, near, path.plus(hand), (distance(path), fade))
        self._exact = np.clip(1 - pixels_moved(self.warp.path, plate) / EXACT_PIXELS, 0, 1)

    def draw(self, i: int) -> U8:
        return draw_with_exact(self.warp, float(self._exact[i]), i)


def nearness_of(plate: Plate, seed: int) -> F32:
    """The guess at nearness for a plate, 320 pixels wide."""
    height, width = plate.small.shape[:2]
    return nearness(resize_u8(plate.small, 320, max(round(320 * height / width), 8)), seed)


def distance(path: Path) -> F64:
    """How far a path has come sideways at each frame, 0 to 1; all zero for a path that only zooms or rolls."""
    moved = np.hypot(path.pan_x, path.pan_y) + np.hypot(path.truck_x, path.truck_y) + 0.5 * np.abs(path.push)
    moved = moved + np.abs(path.roll)
    most = float(moved.max(initial=0.0))
    return moved / most if most > 1e-9 else np.zeros(path.count)


def pixels_moved(path: Path, plate: Plate) -> F64:
    """An upper bound of how far any point has moved from its place in the picture, in pixels of the output."""
    reach = float(np.hypot(1.0, plate.height / plate.width))
    moved = np.hypot(path.pan_x, path.pan_y) + np.hypot(path.truck_x, path.truck_y)
    moved = moved + reach * (np.abs(path.push) + np.abs(path.zoom) + np.abs(path.roll))
    return moved * plate.width / 2


def draw_with_exact(warp: Warp, exact: float, i: int) -> U8:
    """A frame of a warp, mixed with the picture itself: sampling costs a little sharpness, which only shows at rest."""
    if exact >= 1:
        return warp.plate.exact.copy()
    frame = np.empty_like(warp.plate.exact)
    warp.draw(i, frame)
    if exact > 0:
        mix(warp.plate.exact, frame, exact, frame)
    return frame


def mix(first: U8, second: U8, share: float, out: U8) -> None:
    """A share of the first frame and the rest of the second, into `out`."""
    cv2.addWeighted(first, share, second, 1 - share, 0, dst=out)
