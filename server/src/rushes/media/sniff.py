"""What a media file is, by its first bytes. Names and declared types of customers decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rushes.domain.model_card import MediaType

HEAD_BYTES = 256
"""How much of a file `sniff` wants to see."""


@dataclass(frozen=True, slots=True)
class MediaKind:
    """One of the few formats that are taken."""

    name: str
    """As in a file's ending: png, mp4."""
    kind: MediaType
    content_type: str
    reader: str
    """The only Pillow plugin (pictures) or FFmpeg demuxer (the others) that may open it."""


FORMATS: dict[str, MediaKind] = {
    row.name: row
    for row in (
        MediaKind("jpg", "image", "image/jpeg", "JPEG"),
        MediaKind("png", "image", "image/png", "PNG"),
        MediaKind("gif", "image", "image/gif", "GIF"),
        MediaKind("bmp", "image", "image/bmp", "BMP"),
        MediaKind("webp", "image", "image/webp", "WEBP"),
        MediaKind("wav", "audio", "audio/wav", "wav"),
        MediaKind("mp3", "audio", "audio/mpeg", "mp3"),
        MediaKind("m4a", "audio", "audio/mp4", "mp4"),
        MediaKind("ogg", "audio", "audio/ogg", "ogg"),
        MediaKind("flac", "audio", "audio/flac", "flac"),
        MediaKind("mp4", "video", "video/mp4", "mp4"),
        MediaKind("mov", "video", "video/quicktime", "mov"),
        MediaKind("webm", "video", "video/webm", "webm"),
    )
}
_OTHER_NAMES = {"jpeg": "jpg", "wave": "wav", "qt": "mov"}
# Still pictures and image sequences in the same boxes as mp4.
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx "})
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})


def named(file_type: str) -> MediaKind | None:
    """The format of a file ending such as "jpeg" or ".MP4", or None for one that is not taken."""
    name = file_type.strip().lower().removeprefix(".")
    return FORMATS.get(_OTHER_NAMES.get(name, name))


def sniff(head: bytes) -> MediaKind | None:
    """The format of a file that begins with these bytes (HEAD_BYTES of them, or all there are), or None."""
    name = _name(head)
    return FORMATS[name] if name else None


def sniff_file(path: Path) -> MediaKind | None:
    """The same for a file on disk. Raises OSError."""
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES))


def _name(head: bytes) -> str | None:
    for magic, name in (
        (b"\xff\xd8\xff", "jpg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"ID3", "mp3"),
        (b"OggS\0", "ogg"),
        (b"fLaC", "flac"),
    ):
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _brand(head[8:12])
    if head[:4] == b"\x1a\x45\xdf\xa3":
        # EBML, whose DocType (id 0x4282, length 4) tells WebM from Matroska; the latter may carry attachments.
        return "webm" if b"\x42\x82\x84webm" in head else None
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    return "mp3" if _is_mpeg_layer_3(head) else None


def _brand(brand: bytes) -> str | None:
    if brand in _PICTURE_BRANDS:
        return None
    if brand in _SOUND_BRANDS:
        return "m4a"
    return "mov" if brand == b"qt  " else "mp4"


def _is_mpeg_layer_3(head: bytes) -> bool:
    """A frame header of ISO/IEC 11172-3: sync, layer III, and a bit rate and sampling rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, sampling = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and bit_rate not in (0, 15) and sampling != 3
