"""How the camera of a clip moves at its end, and how that motion dies away."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path as FilePath

import cv2
import numpy as np
from PIL import Image

from rushes.engines.animatic.camera import F64, Path
from rushes.engines.animatic.pixels import U8, u8
from rushes.engines.animatic.plate import cover_crop, luma_small, read_picture

STEP_SECONDS = 1 / 6
"""What media leaves between the numbered frames of a clip."""
TAU = 0.9
LIMIT = 0.14
SMALL_SIDE = 480


@dataclass(frozen=True, slots=True)
class Drift:
    """The camera's motion per second: half widths, logarithm of the magnification, radians."""

    pan_x: float = 0.0
    pan_y: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0


def last_frame(folder: str | FilePath) -> U8:
    """The clip's last frame, RGB."""
    return read_picture(FilePath(folder) / "last.png")


def read_drift(folder: str | FilePath, width: int, height: int, seed: int) -> Drift:
    """The drift over the clip's last two seconds, seen in the shape width:height.

    The folder holds frames 000000.png, 000001.png, ... a sixth of a second apart. Steps where too little matches are
    left out; with none left the drift is zero.
    """
    frames = [_read_small(path, width, height) for path in sorted(FilePath(folder).glob("[0-9]*.png"))]
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    steps = [step for a, b in pairwise(frames) if (step := _step(a, b)) is not None]
    if not steps:
        return Drift()
    pan_x, pan_y, zoom, roll = (float(value) / STEP_SECONDS for value in np.median(np.array(steps), axis=0))
    return Drift(pan_x, pan_y, zoom, roll)


def continued(drift: Drift, count: int, fps: int) -> Path:
    """The drift going on and dying away with a time constant of 0.9 s, limited smoothly at 0.14 in each value.

    A drift outward stops at once: what lies beyond the clip's last frame is not known.
    """
    t = np.arange(count) / fps
    reach = TAU * (1 - np.exp(-t / TAU))

    def limited(speed: float) -> F64:
        return LIMIT * np.tanh(speed * reach / LIMIT)

    zeros = np.zeros(count)
    return Path(
        limited(drift.pan_x),
        limited(drift.pan_y),
        zeros,
        zeros,
        zeros,
        limited(max(drift.zoom, 0.0)),
        limited(drift.roll),
    )


def _read_small(path: FilePath, width: int, height: int) -> U8:
    with Image.open(path, formats=["PNG"]) as picture:
        picture.load()
        small = picture.convert("RGB")
        small.thumbnail((SMALL_SIDE * 2, SMALL_SIDE * 2), Image.Resampling.BOX)
        return luma_small(cover_crop(u8(small), width, height))


def _step(before: U8, after: U8) -> tuple[float, float, float, float] | None:
    """The camera's shift, log zoom and roll between two frames, or None where too little matches.

    ORB features (Rublee et al., ICCV 2011) and a similarity by RANSAC with 3 pixels; at least 35 % must agree.
    """
    orb = cv2.ORB.create(nfeatures=600)
    keys_a, marks_a = orb.detectAndCompute(before, np.empty(0, np.uint8))
    keys_b, marks_b = orb.detectAndCompute(after, np.empty(0, np.uint8))
    if len(keys_a) < 12 or len(keys_b) < 12:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks_a, marks_b)
    if len(matches) < 12:
        return None
    here = np.array([keys_a[match.queryIdx].pt for match in matches], np.float32)
    there = np.array([keys_b[match.trainIdx].pt for match in matches], np.float32)
    found, inliers = cv2.estimateAffinePartial2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=3.0)
    if found is None or np.asarray(inliers).mean() < 0.35:  # pyright: ignore[reportUnnecessaryComparison]
        return None
    matrix = np.asarray(found, np.float64)
    height, width = before.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = (matrix[:, :2] @ centre + matrix[:, 2] - centre) / (width / 2)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    # What the picture does, the camera does the other way round; magnification and roll name the picture's side.
    return -float(shift[0]), -float(shift[1]), float(np.log(scale)), float(np.arctan2(matrix[1, 0], matrix[0, 0]))
