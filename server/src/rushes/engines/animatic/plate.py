"""A picture made ready for the camera: cropped to the shape of the video, enlarged, in BT.709 planes."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from rushes.engines.animatic.pixels import U8, f32, planes, resize_u8, u8

OVERSAMPLING = 1.5
"""At 1x the blur of bilinear sampling follows the sub-pixel phase and flickers; at 1.5x it stays within 1 %."""

# RGB to limited-range BT.709: ITU-R BT.709-6, items 3.3 to 3.5.
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
_BT709 = np.array(
    [
        [219 / 255 * _KR, 219 / 255 * _KG, 219 / 255 * _KB, 16],
        [-224 / 255 * _KR / (2 - 2 * _KB), -224 / 255 * _KG / (2 - 2 * _KB), 224 / 255 / 2, 128],
        [224 / 255 / 2, -224 / 255 * _KG / (2 - 2 * _KR), -224 / 255 * _KB / (2 - 2 * _KR), 128],
    ],
    dtype=np.float32,
)


@dataclass(frozen=True, slots=True)
class Plate:
    """What the camera sees. `y`, `u` and `v` are 1.5 times the output in each direction (u and v half of that);
    `exact` is the picture itself as one I420 frame of the output's size; `small` is an RGB copy for depth and flow."""

    width: int
    height: int
    y: U8
    u: U8
    v: U8
    exact: U8
    small: U8


def read_picture(path: str | Path) -> U8:
    """The pixels of a picture that media wrote: RGB, uint8, (height, width, 3)."""
    with Image.open(path, formats=["PNG"]) as picture:
        return np.array(picture.convert("RGB"))


def cover_crop(rgb: U8, width: int, height: int) -> U8:
    """The largest centred part of a picture that has the shape width:height; nothing is scaled."""
    tall, wide = rgb.shape[:2]
    keep_w = min(wide, max(round(tall * width / height), 1))
    keep_h = min(tall, max(round(wide * height / width), 1))
    left, top = (wide - keep_w) // 2, (tall - keep_h) // 2
    return np.ascontiguousarray(rgb[top : top + keep_h, left : left + keep_w])


def make_plate(rgb: U8, width: int, height: int, small_side: int = 640) -> Plate:
    """The plate of a picture for an output of width x height (both even).

    Pictures that are not larger than the output are sharpened a little, which makes up for the camera's sampling;
    larger ones are crisp enough. `small` is `small_side` wide.
    """
    cropped = cover_crop(rgb, width, height)
    plate_w, plate_h = (round(side * OVERSAMPLING / 2) * 2 for side in (width, height))
    y, u, v = to_planes(resize_u8(cropped, plate_w, plate_h))
    if cropped.shape[1] <= width:
        y = _unsharp(y)
    small = resize_u8(cropped, small_side, max(round(small_side * height / width), 8))
    return Plate(width, height, y, u, v, to_frame(resize_u8(cropped, width, height)), small)


def to_planes(rgb: U8) -> tuple[U8, U8, U8]:
    """BT.709 limited-range Y, U and V of an RGB picture with even sides; U and V at half size.

    OpenCV's own conversion to I420 is BT.601, which would shift the colours of a file tagged BT.709.
    """
    yuv = u8(cv2.transform(rgb, _BT709))
    y, u, v = (u8(plane) for plane in cv2.split(yuv))
    half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
    u, v = (u8(cv2.resize(plane, half, interpolation=cv2.INTER_AREA)) for plane in (u, v))
    return y, u, v


def to_frame(rgb: U8) -> U8:
    """A picture with even sides as one I420 frame, shape (height * 3 // 2, width)."""
    height, width = rgb.shape[:2]
    frame = np.empty((height * 3 // 2, width), np.uint8)
    for target, plane in zip(planes(frame, width, height), to_planes(rgb), strict=True):
        target[:] = plane
    return frame


def _unsharp(y: U8) -> U8:
    soft = cv2.GaussianBlur(y, (0, 0), sigmaX=1.0)
    return u8(cv2.addWeighted(y, 1.35, soft, -0.35, 0))


def luma_small(rgb: U8) -> U8:
    """Grey values of an RGB picture for measuring, not for showing."""
    return u8(f32(rgb) @ np.array([_KR, _KG, _KB], np.float32))
