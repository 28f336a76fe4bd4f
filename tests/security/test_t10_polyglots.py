"""T10: a file is what its first bytes say, it is read as that alone, and what was hidden in it does not survive."""

import io
import zipfile
from pathlib import Path

import pytest
import rushes
from PIL import Image
from rushes.media.inputs import MediaRefused, check_media, prepare_image

SCRIPT = b"<script>alert(document.domain)</script>"


def picture(plugin: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(file, plugin)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("evil.py", "import os")
    return file.getvalue()


def gif_with_comment() -> bytes:
    body = picture("GIF")
    at = body.index(b"\x2c")
    return body[:at] + b"\x21\xfe" + bytes([len(SCRIPT)]) + SCRIPT + b"\0" + body[at:]


@pytest.mark.parametrize(
    ("body", "hidden"),
    [
        (picture("GIF") + SCRIPT, SCRIPT),
        (gif_with_comment(), SCRIPT),
        (picture("JPEG") + archive(), b"evil.py"),
        (picture("PNG") + SCRIPT + archive(), SCRIPT),
        (picture("BMP") + SCRIPT, SCRIPT),
        (picture("WEBP") + b"%PDF-1.7", b"%PDF"),
    ],
)
async def test_what_was_hidden_does_not_survive(tmp_path: Path, body: bytes, hidden: bytes) -> None:
    (tmp_path / "x").write_bytes(body)
    assert hidden in body
    await check_media(tmp_path / "x", "image", None, "image")
    await prepare_image(tmp_path / "x", tmp_path / "out.png")
    written = (tmp_path / "out.png").read_bytes()
    assert hidden not in written
    with Image.open(tmp_path / "out.png", formats=["PNG"]) as kept:
        kept.load()
        assert kept.info == {}
        assert kept.getpixel((16, 16)) == pytest.approx((0, 128, 128), abs=3)


@pytest.mark.parametrize(
    "body",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(/etc/passwd) run\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>",
        b"%PDF-1.7\n" + picture("JPEG"),
        archive(),
        b"II*\0" + bytes(100),
        b"P6 10 10 255\n" + bytes(300),
        b"8BPS\0\x01" + bytes(100),
        SCRIPT + picture("PNG"),
    ],
)
async def test_formats_that_nobody_asked_for_are_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.png").write_bytes(body)
    with pytest.raises(MediaRefused, match="Must be jpg, png, gif, bmp or webp, got something else"):
        await check_media(tmp_path / "x.png", "image", None, "image")
    with pytest.raises(MediaRefused, match="Must be image, got something else"):
        await prepare_image(tmp_path / "x.png", tmp_path / "out.png")


async def test_a_magic_number_alone_is_not_enough(tmp_path: Path) -> None:
    for magic in (
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\xff\xd8\xff\xe0",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"BM" + bytes(12) + b"\x28",
    ):
        (tmp_path / "x").write_bytes(magic + bytes(40) + SCRIPT)
        with pytest.raises(MediaRefused, match="damaged"):
            await prepare_image(tmp_path / "x", tmp_path / "out.png")


def test_untrusted_files_never_reach_opencv() -> None:
    source = Path(rushes.__file__).parent
    for path in source.rglob("*.py"):
        text = path.read_text()
        assert not any(word in text for word in ("cv2.imread", "imdecode", "VideoCapture")), path
