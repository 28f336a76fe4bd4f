"""Pictures of strangers, read by Pillow alone: the header in any process, pixels only in the decoder child."""

from __future__ import annotations

import warnings
from pathlib import Path
from threading import Lock
from typing import Final

# Named here so that no plugin is looked for, and no file opened, once a child process has been confined.
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

MAX_PIXELS: Final = 50_000_000
MAX_SIDE: Final = 16_384
PLUGINS: Final = (BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
ORIENTATION: Final = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_OPENING = Lock()
"""Held while a header is read: how Python treats warnings belongs to the whole process."""


class Unreadable(Exception):
    """A file that cannot be used, in one sentence for the customer."""


def picture_size(path: Path, plugin: str) -> tuple[int, int]:
    """Width and height of the upright picture, from its header: no pixel is decoded. Raises Unreadable."""
    with _opened(path, plugin) as picture:
        width, height = picture.size
        return (height, width) if _orientation(picture) >= 5 else (width, height)


def upright_rgb(path: Path, plugin: str) -> Image.Image:
    """The picture as 8-bit RGB, turned upright, transparent parts on white, first frame only, without metadata.

    Raises Unreadable, also when the file ends too early. Meant for a process that may die of what it reads.
    """
    with _opened(path, plugin) as picture:
        turn = _UPRIGHT.get(_orientation(picture))
        try:
            picture.load()
        except Exception as error:  # a hostile file can raise nearly anything in a decoder
            raise Unreadable("It is damaged or cut off") from error
        rgb = _rgb(picture)
    return rgb.transpose(turn) if turn is not None else rgb


def cover_cropped(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The largest centred part of the shape width:height; never scaled."""
    wide, high = picture.size
    new_wide, new_high = min(wide, round(high * width / height)), min(high, round(wide * height / width))
    left, top = (wide - max(new_wide, 1)) // 2, (high - max(new_high, 1)) // 2
    return picture.crop((left, top, left + max(new_wide, 1), top + max(new_high, 1)))


def _opened(path: Path, plugin: str) -> ImageFile.ImageFile:
    try:
        with _OPENING, warnings.catch_warnings():
            # Pillow warns about Exif that it passes over, which is no matter, and about pictures between one and two
            # times its pixel limit, which is: those are refused.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=[plugin])
    except FileNotFoundError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(f"Must have at most {MAX_PIXELS // 1_000_000} million pixels") from error
    except Exception as error:  # see upright_rgb
        raise Unreadable("It is damaged or cut off") from error
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        picture.close()
        most = f"{MAX_PIXELS // 1_000_000} million pixels and {MAX_SIDE} px a side"
        raise Unreadable(f"Must have at most {most}, got {width}x{height}")
    return picture


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        # 16 bits of grey: Pillow's own conversion would not scale them but cut them off at 255.
        return picture.point(lambda level: level * (1 / 256)).convert("L").convert("RGB")
    if picture.has_transparency_data:
        shown = picture.convert("RGBA")
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(shown, mask=shown.getchannel("A"))
        return ground
    plain = picture.convert("RGB")
    plain.info = {}
    return plain


def _orientation(picture: Image.Image) -> int:
    """The Exif orientation, 1 to 8, read from the first directory of the block; 1 where there is none or nonsense."""
    exif = picture.info.get("exif")
    if not isinstance(exif, bytes):
        return 1
    block = exif.removeprefix(b"Exif\0\0")
    order = "little" if block[:4] == b"II*\0" else "big"
    start = int.from_bytes(block[4:8], order)
    for number in range(min(int.from_bytes(block[start : start + 2], order), 256)):
        entry = block[start + 2 + 12 * number :][:12]
        if int.from_bytes(entry[:2], order) == ORIENTATION:
            value = int.from_bytes(entry[8:10], order)
            return value if value in _UPRIGHT else 1
    return 1
