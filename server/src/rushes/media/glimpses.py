"""The pictures that are kept of a clip while its frames go by, so that nothing has to be decoded again for them.

thumbnail.jpg    the frame at 40 %, 640 px on the long side: the first one is black wherever there is a fade
first_frame.jpg  full size, for whoever wants to continue a clip, or lead up to it
last_frame.jpg
preview.webp     an animation of at most 3 s, 320 px on the long side
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image
from PIL import WebPImagePlugin as webp

from rushes.domain.artifact_kind import KINDS

# Pillow would look for this writer at the first save, when a confined process may open no more files.
PRELOADED: Final = (webp,)
THUMBNAIL_AT: Final = 0.4
THUMBNAIL_SIDE: Final = 640
PREVIEW_SIDE: Final = 320
PREVIEW_RATE: Final = 8
"""Pictures a second. Longer clips than PREVIEW_SECONDS are shown whole, at a higher speed."""
PREVIEW_SECONDS: Final = 3.0
NAMES: Final = {kind: KINDS[kind].file for kind in ("thumbnail", "first_frame", "last_frame", "preview")}

Look: TypeAlias = Callable[[VideoFrame, int | None], Image.Image]
"""A frame as RGB, at most so many pixels on the long side where a number is given."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A picture that was written."""

    kind: str
    width: int
    height: int
    seconds: float | None = None
    """How long it lasts, if it moves."""


class Glimpses:
    """The pictures of one clip of so many frames; `see` is given every frame, in order."""

    def __init__(self, frames: int, seconds: float, look: Look) -> None:
        self._look = look
        self._lasts = min(seconds, PREVIEW_SECONDS)
        count = min(frames, max(1, round(self._lasts * PREVIEW_RATE)))
        self._wanted = {number * frames // count for number in range(count)}
        self._poster_at = int(frames * THUMBNAIL_AT)
        self.seen = 0
        """Frames so far."""
        self._first: VideoFrame | None = None
        self._poster: VideoFrame | None = None
        self._last: VideoFrame | None = None
        self._moving: list[Image.Image] = []

    @classmethod
    def of_three(cls, first: VideoFrame, poster: VideoFrame, last: VideoFrame, look: Look) -> Self:
        """Glimpses without a preview, of a clip that is too long to be looked at whole."""
        glimpses = cls(0, 0.0, look)
        glimpses._first, glimpses._poster, glimpses._last = first, poster, last
        return glimpses

    def see(self, frame: VideoFrame) -> None:
        """One more frame; it is kept, and must not change."""
        self._first = self._first or frame
        if self.seen <= self._poster_at:
            self._poster = frame
        if self.seen in self._wanted:
            self._moving.append(self._look(frame, PREVIEW_SIDE))
        self._last = frame
        self.seen += 1

    def write(self, folder: Path) -> list[Glimpse]:
        """Write the pictures of what was seen under their NAMES. Raises OSError when the disk refuses."""
        stills = (("thumbnail", self._poster), ("first_frame", self._first), ("last_frame", self._last))
        written = [self._write_still(kind, frame, folder) for kind, frame in stills if frame]
        return [*written, self._write_preview(folder)] if self._moving else written

    def _write_still(self, kind: str, frame: VideoFrame, folder: Path) -> Glimpse:
        side = THUMBNAIL_SIDE if kind == "thumbnail" else None
        picture = self._look(frame, side)
        picture.save(folder / NAMES[kind], format="JPEG", quality=85 if side else 95)
        return Glimpse(kind, *picture.size)

    def _write_preview(self, folder: Path) -> Glimpse:
        first, *others = self._moving
        # Effort 1 of 6 takes half of the processor time for a fifth more bytes (bench/README.md).
        first.save(
            folder / NAMES["preview"],
            format="WEBP",
            save_all=True,
            append_images=others,
            duration=round(1000 * self._lasts / len(self._moving)),
            loop=0,
            quality=60,
            method=1,
        )
        return Glimpse("preview", *first.size, seconds=round(self._lasts, 3))


def look(frame: VideoFrame, side: int | None) -> Image.Image:
    """Look at a frame of ours: rgb24, or yuv420p in BT.709 limited."""
    width, height = frame.width, frame.height
    if side and max(width, height) > side:
        width, height = (max(1, round(length * side / max(width, height))) for length in (width, height))
    planar = frame.format.name != "rgb24"
    rgb = frame.reformat(
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=Colorspace.ITU709 if planar else None,
        src_color_range=ColorRange.MPEG if planar else None,
        interpolation="AREA" if (width, height) != (frame.width, frame.height) else "BICUBIC",
    )
    return Image.fromarray(rgb.to_ndarray())
