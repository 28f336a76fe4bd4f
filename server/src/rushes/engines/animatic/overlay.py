"""Small words on the frames: the prompt as a caption, and the watermark. Drawn once, blended in their rectangle."""

import unicodedata
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw

from rushes.engines.animatic.pixels import U8, planes, u8

WATERMARK = "AI Generated"
MOST_CHARACTERS = 1000
WEIGHT = 450
"""Of the letters, between 400 (regular) and 700 (bold)."""
_NOT_A_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class _Patch:
    """A plane's part of an overlay: where it goes, what is kept of the plane (of 255) and what is added (times 255)."""

    top: int
    left: int
    kept: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]
    added: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]

    def blend(self, plane: U8) -> None:
        rows, columns = self.kept.shape
        part = plane[self.top : self.top + rows, self.left : self.left + columns]
        part[:] = (part * self.kept + self.added) // 255


class Overlay:
    """Words blended into I420 frames of one size. Grey only, so colours under them fade."""

    def __init__(self, width: int, height: int, *, caption: str = "", watermark: bool = False) -> None:
        self._size = (width, height)
        self._patches: list[tuple[_Patch, _Patch]] = []
        points = max(round(min(width, height) * 0.027), 8)
        margin = max(round(min(width, height) * 0.03), 4) // 2 * 2
        room, bottom = width - 2 * margin, height - margin
        if watermark:
            image = _draw([WATERMARK], points, box=72, ink=205)
            self._place(image, width - margin - image.width, bottom - image.height)
            if room > 2.5 * image.width:
                room -= image.width + margin
            else:  # no room beside it, so the caption goes above
                bottom -= image.height + margin // 2
        most = 2 if height >= 160 else 1
        lines = _wrap(_drawable(caption), points, min(room, round(width * 0.8)) - points, most)
        if lines:
            image = _draw(lines, points, box=115, ink=235)
            self._place(image, margin, bottom - image.height)

    def blend(self, frame: U8) -> None:
        """Put the words into a frame, in place."""
        y, u, v = planes(frame, *self._size)
        for luma, chroma in self._patches:
            luma.blend(y)
            chroma.blend(u)
            chroma.blend(v)

    def _place(self, image: Image.Image, left: int, top: int) -> None:
        left, top = max(left, 0) // 2 * 2, max(top, 0) // 2 * 2
        image = image.crop((0, 0, min(image.width, self._size[0] - left), min(image.height, self._size[1] - top)))
        pixels = u8(image)
        alpha = pixels[..., 1].astype(np.uint16)
        ink = (16 + pixels[..., 0].astype(np.float32) * 219 / 255).round().astype(np.uint16)
        half = alpha[: alpha.shape[0] // 2 * 2, : alpha.shape[1] // 2 * 2]
        half = (half[::2, ::2] + half[1::2, ::2] + half[::2, 1::2] + half[1::2, 1::2]) // 4
        grey = np.full_like(half, 128)
        self._patches.append((_patch(top, left, alpha, ink), _patch(top // 2, left // 2, half, grey)))


def _patch(
    top: int,
    left: int,
    alpha: np.ndarray[tuple[int, ...], np.dtype[np.uint16]],
    ink: np.ndarray[tuple[int, ...], np.dtype[np.uint16]],
) -> _Patch:
    return _Patch(top, left, 255 - alpha, alpha * ink + np.uint16(127))


def _drawable(text: str) -> str:
    """The text in one line, as far as it can be drawn: what needs letters that are not there becomes their name.

    The font that OpenCV brings has Latin, Greek, Cyrillic, Chinese, Japanese and Korean. Scripts written from right to
    left have to be shaped, which it does not do, so they count as missing; signs and pictures are left out.
    """
    known: dict[str, bool] = {" ": True}
    kept: list[str] = []
    for character in " ".join(text[:MOST_CHARACTERS].split()):
        if character not in known:
            known[character] = _has(character)
        if known[character]:
            kept.append(character)
        elif unicodedata.category(character)[0] in "LM":
            name = f" [{unicodedata.name(character, 'unknown').split()[0].capitalize()}] "
            # A space between two missing words of one script does not part them.
            if "".join(kept).rstrip()[-len(name.strip()) :] != name.strip():
                kept.append(name)
    return " ".join("".join(kept).split())


def _has(character: str) -> bool:
    if not character.isprintable() or unicodedata.bidirectional(character) in ("R", "AL", "AN"):
        return False
    return character == "?" or not np.array_equal(_glyph(character), _glyph(_NOT_A_CHARACTER))


def _glyph(character: str) -> U8:
    image = np.zeros((48, 64), np.uint8)
    cv2.putText(image, character, (8, 34), (255,), _face(), 24, 400)
    return image


@cache
def _face() -> cv2.FontFace:
    """The sans-serif font inside OpenCV; what it lacks is taken from the large one beside it."""
    return cv2.FontFace("sans")


def _long(text: str, points: int) -> int:
    """How wide a line of text is, in pixels."""
    left, _, width, _ = cv2.getTextSize((4096, 256), text, (0, 128), _face(), points, WEIGHT)
    return max(left, 0) + width


def _wrap(text: str, points: int, width: int, most: int) -> list[str]:
    """At most `most` lines within `width` pixels; what is left over becomes an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        line = ""
        while words and _long(f"{line} {words[0]}".strip(), points) <= width:
            line = f"{line} {words.pop(0)}".strip()
        if not line:  # one word wider than the line, as sentences without spaces are
            fits = 1
            while fits < len(words[0]) and _long(words[0][: fits + 1], points) <= width:
                fits += 1
            line, words[0] = words[0][:fits], words[0][fits:]
        lines.append(line)
    if any(words) and lines:
        while lines[-1] and _long(lines[-1] + "...", points) > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] = lines[-1].rstrip(" ,.;:") + "..."
    return lines


def _draw(lines: list[str], points: int, box: int, ink: int) -> Image.Image:
    """The lines on a dark translucent box (opacity `box` of 255), as grey and alpha, with even sides."""
    line = round(points * 1.30)
    pad = max(round(points * 0.42), 3)
    width = max(_long(text, points) for text in lines) + 2 * pad
    height = line * len(lines) + 2 * pad
    image = Image.new("LA", ((width + 1) // 2 * 2, (height + 1) // 2 * 2), (0, 0))
    ground = ImageDraw.Draw(image)
    ground.rounded_rectangle((0, 0, image.width - 1, image.height - 1), radius=pad, fill=(0, box))
    mask = np.zeros((image.height, image.width), np.uint8)
    for row, text in enumerate(lines):
        cv2.putText(mask, text, (pad, pad + row * line + round(points * 1.0)), (ink,), _face(), points, WEIGHT)
    return _over(image, mask)


def _over(ground: Image.Image, ink: U8) -> Image.Image:
    """White ink of the given opacity over a grey-and-alpha ground."""
    below, cover = u8(ground).astype(np.float32) / 255, ink.astype(np.float32) / 255
    alpha = cover + below[..., 1] * (1 - cover)
    grey = (cover + below[..., 0] * below[..., 1] * (1 - cover)) / np.maximum(alpha, 1e-6)
    return Image.fromarray((np.stack([grey, alpha], axis=2) * 255).round().astype(np.uint8), "LA")
