"""Which files are pictures, sounds and videos: told by their first bytes, never by their name alone."""

from __future__ import annotations

# Endings the upload route knows (WIRE 2.7).
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
}
MEDIA_TYPES = frozenset({"image", "audio", "video", "array"})
"""The parameter types whose values may be files."""

_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime"}
HEAD = 16


def content_type_of(head: bytes) -> str:
    """The content type that a file's first 16 bytes tell, or "" for none the API takes."""
    for start, content_type in _STARTS:
        if head.startswith(start):
            return content_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    # A bare frame of MPEG audio, layer III: eleven set bits, a version that is not reserved, the layer.
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08:
        return "audio/mpeg"
    return ""


def file_type(content_type: str) -> str:
    """The ending the upload route wants; jpeg rather than jpg, whose signed type is not a registered one."""
    return next(ending for ending, one in reversed(CONTENT_TYPES.items()) if one == content_type)


def kind_of(content_type: str) -> str:
    """image, audio or video."""
    return content_type.split("/", 1)[0]
