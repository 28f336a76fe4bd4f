"""Small words on the frames: the prompt as a caption, and the watermark. Drawn once, blended in their rectangle."""

import unicodedata
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rushes.engines.animatic.pixels import U8, planes, u8

WATERMARK = "AI Generated"
MOST_CHARACTERS = 1000
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
        font = ImageFont.load_default(points)
        margin = max(round(min(width, height) * 0.03), 4) // 2 * 2
        room, bottom = width - 2 * margin, height - margin
        if watermark:
            image = _draw([WATERMARK], font, box=72, ink=205)
            self._place(image, width - margin - image.width, bottom - image.height)
            if room > 2.5 * image.width:
                room -= image.width + margin
            else:  # no room beside it, so the caption goes above
                bottom -= image.height + margin // 2
        most = 2 if height >= 160 else 1
        lines = _wrap(_drawable(caption, font), font, min(room, round(width * 0.8)) - points, most)
        if lines:
            image = _draw(lines, font, box=115, ink=235)
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


def _drawable(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The text in one line, without what the built-in font lacks: accents are dropped, other scripts left out."""
    missing = _glyph(_NOT_A_CHARACTER, font)
    known: dict[str, bool] = {" ": True}

    def has(character: str) -> bool:
        if character not in known:
            known[character] = character.isprintable() and _glyph(character, font) != missing
        return known[character]

    line = " ".join(text[:MOST_CHARACTERS].split())
    kept = [c if has(c) else "".join(filter(has, unicodedata.normalize("NFKD", c))) for c in line]
    return " ".join("".join(kept).split())


def _glyph(character: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> bytes:
    image = Image.new("L", (48, 64), 0)
    ImageDraw.Draw(image).text((8, 8), character, fill=255, font=font)
    return image.tobytes()


def _wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int, most: int) -> list[str]:
    """At most `most` lines within `width` pixels; what is left over becomes an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        line = ""
        while words and font.getlength(f"{line} {words[0]}".strip()) <= width:
            line = f"{line} {words.pop(0)}".strip()
        if not line:  # one word wider than the line
            while len(words[0]) > 1 and font.getlength(words[0]) > width:
                words[0] = words[0][:-1]
            line = words.pop(0)
        lines.append(line)
    if words and lines:
        while lines[-1] and font.getlength(lines[-1] + "...") > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] = lines[-1].rstrip(" ,.;:") + "..."
    return lines


def _draw(lines: list[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont, box: int, ink: int) -> Image.Image:
    """The lines on a dark translucent box (opacity `box` of 255), as grey and alpha, with even sides."""
    left, top, _, bottom = font.getbbox("Ágjy|")
    line = round((bottom - top) * 1.12)
    pad = max(round((bottom - top) * 0.4), 3)
    width = round(max(font.getlength(text) for text in lines)) + 2 * pad
    height = line * len(lines) + 2 * pad
    image = Image.new("LA", ((width + 1) // 2 * 2, (height + 1) // 2 * 2), (0, 0))
    ground = ImageDraw.Draw(image)
    ground.rounded_rectangle((0, 0, image.width - 1, image.height - 1), radius=pad, fill=(0, box))
    mask = Image.new("L", image.size, 0)
    pen = ImageDraw.Draw(mask)
    for row, text in enumerate(lines):
        pen.text((pad - left, pad + row * line - top), text, fill=ink, font=font)
    return _over(image, mask)


def _over(ground: Image.Image, ink: Image.Image) -> Image.Image:
    """White ink of the given opacity over a grey-and-alpha ground."""
    below, cover = u8(ground).astype(np.float32) / 255, u8(ink).astype(np.float32) / 255
    alpha = cover + below[..., 1] * (1 - cover)
    grey = (cover + below[..., 0] * below[..., 1] * (1 - cover)) / np.maximum(alpha, 1e-6)
    return Image.fromarray((np.stack([grey, alpha], axis=2) * 255).round().astype(np.uint8), "LA")
