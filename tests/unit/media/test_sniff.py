"""sniff: formats by their first bytes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rushes.media.sniff import FORMATS, HEAD_BYTES, named, sniff


@pytest.mark.parametrize(
    ("plugin", "name"), [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("BMP", "bmp"), ("WEBP", "webp")]
)
def test_pictures_are_recognised(plugin: str, name: str) -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(file, plugin)
    found = sniff(file.getvalue()[:HEAD_BYTES])
    assert found is not None
    assert (found.name, found.kind, found.reader) == (name, "image", plugin)


@pytest.mark.parametrize(
    ("codec", "container", "name"),
    [
        ("pcm_s16le", "wav", "wav"),
        ("libmp3lame", "mp3", "mp3"),
        ("libopus", "ogg", "ogg"),
        ("flac", "flac", "flac"),
        ("aac", "ipod", "m4a"),
    ],
)
def test_sounds_are_recognised(tmp_path: Path, a_recording: Any, codec: str, container: str, name: str) -> None:
    path = a_recording(tmp_path / "file", codec, container)
    found = sniff(path.read_bytes()[:HEAD_BYTES])
    assert found is not None
    assert (found.name, found.kind) == (name, "audio")


@pytest.mark.parametrize(
    ("codec", "container", "name"), [("libx264", "mp4", "mp4"), ("libx264", "mov", "mov"), ("libvpx", "webm", "webm")]
)
def test_videos_are_recognised(tmp_path: Path, a_movie: Any, codec: str, container: str, name: str) -> None:
    found = sniff(a_movie(tmp_path / "file", codec=codec, container=container).read_bytes()[:HEAD_BYTES])
    assert found is not None
    assert (found.name, found.kind) == (name, "video")


def test_an_mp3_without_tags_is_recognised() -> None:
    assert sniff(b"\xff\xfb\x90\x00" + bytes(200)) is FORMATS["mp3"]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"\xff\xfb",
        b"\xff\xf1\x50\x80" + bytes(50),  # AAC in ADTS: layer 0
        b"\xff\xff\xff\xff" + bytes(50),
        b"BM" + bytes(50),
        b"BMX is a bicycle sport",
        b"RIFF\0\0\0\0AVI " + bytes(50),
        b"#EXTM3U\n",
        b"ffconcat version 1.0\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\0\0\0\x1cftypheic" + bytes(50),
        b"\0\0\0\x1cftypavif" + bytes(50),
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + bytes(50),
        b"PK\x03\x04" + bytes(50),
        b"\x80\x04\x95",
    ],
)
def test_nothing_else_is(head: bytes) -> None:
    assert sniff(head) is None


def test_endings_are_known_by_all_their_usual_names() -> None:
    assert named("jpeg") is named(".JPG") is FORMATS["jpg"]
    assert named("wave") is FORMATS["wav"]
    assert named("exe") is None
    assert named("") is None
