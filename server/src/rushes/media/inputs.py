"""From what a payload holds to files an engine can trust.

A media value is a URL (fetched by egress), a data URI or raw base64. Whatever the way, the bytes end in a local file
under a name of ours, `check_media` says what they are, and `prepare_*` writes what an engine reads. Only headers of
pictures are read in this process; every decoder runs in a child (media/decoder.py).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.domain.model_card import MediaLimits, MediaType
from rushes.media.confined import confined
from rushes.media.limits import (
    MEGABYTE,
    MediaFacts,
    MediaRefused,
    judge_bytes,
    judge_facts,
    judge_format,
    max_bytes,
    refuse,
)
from rushes.media.pictures import Unreadable, picture_size
from rushes.media.sniff import MediaKind, sniff_file

__all__ = [
    "MediaFacts",
    "MediaRefused",
    "PreparedClip",
    "check_media",
    "decode_base64",
    "looks_like_base64",
    "max_bytes",
    "parse_data_uri",
    "prepare_audio",
    "prepare_clip",
    "prepare_image",
]

# RFC 2397, of which only the base64 form can be media. The declared type is a claim, but one of text is a mistake.
_DATA_URI = re.compile(
    r"data:(?:(?:(?:image|audio|video)/[\w.+-]{1,60}|application/octet-stream)(?:;[\w.+-]{1,60}=[\w.+-]{1,60}){0,4})?"
    r";base64,",
    re.IGNORECASE | re.ASCII,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*")
SHORTEST_BASE64: Final = 100
"""Shorter texts of these letters are more likely names or ids; no media file is this small."""


@dataclass(frozen=True, slots=True)
class PreparedClip:
    """The end of a clip as pictures: `frames` numbered files, 1/6 s apart, and last.png."""

    frames: int
    width: int
    height: int


def parse_data_uri(text: str, *, max_bytes: int, field: str) -> bytes:
    """The bytes of `data:[type];base64,...`. The type is not returned: it is a claim, and the bytes are judged.

    Raises MediaRefused for another form, for what is not base64, and, before anything is decoded, for too many bytes.
    """
    head = _DATA_URI.match(text)
    if not head:
        raise refuse(
            field, "Must be a data URI of a media type in base64, such as data:image/png;base64,...", given=text[:40]
        )
    return decode_base64(text[head.end() :], max_bytes=max_bytes, field=field)


def looks_like_base64(text: str) -> bool:
    """Whether a text that is neither URL nor data URI can be meant as raw base64; its end is not looked at."""
    return len(text) >= SHORTEST_BASE64 and _BASE64.fullmatch(text[:4096].rstrip("=")) is not None


def decode_base64(text: str, *, max_bytes: int, field: str) -> bytes:
    """The bytes of standard base64, line breaks allowed. Raises MediaRefused as parse_data_uri does."""
    packed = text.strip().replace("\r", "").replace("\n", "")
    size = len(packed) // 4 * 3 - packed[-2:].count("=")
    if size > max_bytes:
        given = f"{size / MEGABYTE:.1f} MB"
        rule = f"Must be at most {max_bytes / MEGABYTE:g} MB"
        raise refuse(field, f"{rule}, got {given}", allowed=max_bytes, given=given)
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refuse(field, f"Must be valid base64 ({error})", given=packed[:40]) from error
    if not data:
        raise refuse(field, "Must be a media file, got an empty one")
    return data


async def check_media(path: Path, kind: MediaType, limits: MediaLimits | None, field: str) -> MediaFacts:
    """What the file is, once it is one of the allowed formats and within the card's limits.

    Looks at size, first bytes and header, in this order. Of sound and video every packet is counted, in a child
    process, and one frame decoded; the pixels of a picture are not, so a cut-off one is found by prepare_image.
    Raises MediaRefused, whose fault names `field`, and OSError when the file cannot be read.
    """
    size = (await asyncio.to_thread(path.stat)).st_size
    judge_bytes(size, kind, limits, field)
    found = judge_format(await asyncio.to_thread(sniff_file, path), kind, limits, field)
    facts = await _facts(path, found, size, field)
    return judge_facts(facts, limits, field)


async def prepare_image(
    path: Path, out: Path, *, width: int | None = None, height: int | None = None, field: str = "image"
) -> tuple[int, int]:
    """Write the picture as an upright 8-bit RGB PNG and return its width and height.

    With `width` and `height` it is cropped at its centre to their shape, never scaled. Transparent parts are white, 16
    bits become the upper 8, only the first frame is taken, and no metadata is left. Raises MediaRefused, OSError.
    """
    given = {"width": width, "height": height}
    facts = await _ordered("write image", path, field, out=str(out), **given)
    return facts["width"], facts["height"]


async def prepare_audio(path: Path, out: Path, *, field: str = "audio") -> float:
    """Write the sound as .npy, float32 (samples, 2) at 48 kHz, and return its seconds: at most its first 120.

    Raises MediaRefused, OSError.
    """
    facts = await _ordered("write audio", path, field, out=str(out))
    return facts["seconds"]


async def prepare_clip(path: Path, out_dir: Path, *, field: str = "video") -> PreparedClip:
    """Write the clip's last frame, last.png, and up to 12 of its last 2 s, 1/6 s apart: 000000.png and so on.

    The last numbered one equals last.png; a shorter clip gives fewer. All are upright RGB. The folder must exist.
    Raises MediaRefused, OSError.
    """
    return PreparedClip(**await _ordered("write video", path, field, out=str(out_dir)))


async def _facts(path: Path, found: MediaKind, size: int, field: str) -> MediaFacts:
    if found.kind == "image":
        try:
            width, height = await asyncio.to_thread(picture_size, path, found.reader)
        except Unreadable as error:
            raise refuse(field, str(error)) from error
        return MediaFacts("image", found.name, found.content_type, size, width, height)
    counted = await _ordered(f"check {found.kind}", path, field)
    return MediaFacts(found.kind, found.name, found.content_type, size, **counted)


async def _ordered(do: str, path: Path, field: str, **more: Any) -> dict[str, Any]:
    found = await asyncio.to_thread(sniff_file, path)
    kind = do.split()[1]
    if found is None or found.kind != kind:
        raise refuse(field, f"Must be {kind}, got {found.name if found else 'something else'}")
    try:
        return await confined({"do": do, "path": str(path), "reader": found.reader, **more})
    except Unreadable as error:
        raise refuse(field, str(error)) from error
