"""T9: a picture costs what its limits allow, whatever it claims and however small it is."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from rushes.domain.model_card import MediaLimits
from rushes.media.inputs import MediaRefused, check_media, prepare_image
from support.cpu import cpu_seconds


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *extra: bytes, rows: int | None = None) -> bytes:
    """A black picture of one bit a pixel: kilobytes that unpack to megapixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", body), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


async def both_refuse(path: Path, out: Path, said: str) -> None:
    """At submit by the header alone, and again in the child that would decode it."""
    began = cpu_seconds()
    with pytest.raises(MediaRefused, match=said):
        await check_media(path, "image", None, "image")
    with pytest.raises(MediaRefused, match=said):
        await prepare_image(path, out)
    assert cpu_seconds() - began < 5
    assert not out.exists()


@pytest.mark.parametrize(("side", "most"), [(8_000, 15_000), (9_600, 15_000), (13_600, 30_000), (60_000, 600_000)])
async def test_a_few_kilobytes_that_claim_a_hundred_megapixels(tmp_path: Path, side: int, most: int) -> None:
    body = png(side, side) if side < 20_000 else png(side, side, rows=1)
    assert len(body) < most
    (tmp_path / "x").write_bytes(body)
    await both_refuse(tmp_path / "x", tmp_path / "out.png", "Must have at most 50 million pixels")


@pytest.mark.parametrize(("width", "height"), [(1, 100_000), (100_000, 1)])
async def test_a_picture_that_is_all_side(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "x").write_bytes(png(width, height, rows=1))
    await both_refuse(tmp_path / "x", tmp_path / "out.png", "at most 50 million pixels|damaged")


async def test_the_card_s_own_limit_comes_before_any_decoding(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(png(5_000, 5_000))
    with pytest.raises(MediaRefused, match="Must be 360 to 2000 px a side, got 5000x5000"):
        await check_media(tmp_path / "x", "image", MediaLimits(min_side=360, max_side=2000), "image")


async def test_other_formats_that_only_claim(tmp_path: Path) -> None:
    gif = b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b"\x2c" + bytes(9) + b"\x02\x00\x3b"
    bmp = b"BM" + struct.pack("<IHHI", 200, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 30_000, 30_000, 1, 24, *[0] * 6)
    webp = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\xff" * 2
    for name, body in (("gif", gif), ("bmp", bmp), ("webp", webp)):
        (tmp_path / name).write_bytes(body)
        await both_refuse(tmp_path / name, tmp_path / "out.png", "at most 50 million pixels|damaged")


async def test_a_megabyte_of_text_packed_into_a_kilobyte(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(200_000_000), 9)
    for kind, head in ((b"zTXt", b"Comment\0\0"), (b"iCCP", b"profile\0\0"), (b"iTXt", b"Comment\0\x01\0\0\0")):
        (tmp_path / "x").write_bytes(png(10, 10, chunk(kind, head + packed)))
        began = cpu_seconds()
        try:
            await check_media(tmp_path / "x", "image", None, "image")
        except MediaRefused as refusal:
            assert "damaged" in str(refusal)
        assert cpu_seconds() - began < 1


def jpeg_with(segments: bytes) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "JPEG")
    return file.getvalue()[:2] + segments + file.getvalue()[2:]


@pytest.mark.parametrize(
    "exif",
    [
        b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\x01\0\0\0\x09\0\0\0" * 500,  # too many, and orientation 9
        b"MM\0*\xff\xff\xff\xff",  # a directory beyond the end
        b"II*\0\x08\0\0\0\x01\0\x12\x01",  # cut off in the middle of an entry
        b"nonsense",
        b"",
    ],
)
async def test_exif_that_makes_no_sense_is_passed_over(tmp_path: Path, exif: bytes) -> None:
    block = b"Exif\0\0" + exif
    (tmp_path / "x").write_bytes(jpeg_with(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block))
    facts = await check_media(tmp_path / "x", "image", None, "image")
    assert (facts.width, facts.height) == (64, 48)
    assert await prepare_image(tmp_path / "x", tmp_path / "out.png") == (64, 48)


async def test_nine_megabytes_of_profile_are_thrown_away(tmp_path: Path) -> None:
    parts = 140
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", 65_533) + b"ICC_PROFILE\0" + bytes([n + 1, parts]) + bytes(65_517)
        for n in range(parts)
    )
    (tmp_path / "x").write_bytes(jpeg_with(segments))
    await check_media(tmp_path / "x", "image", None, "image")
    await prepare_image(tmp_path / "x", tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size < 1_000


async def test_ten_thousand_frames_cost_as_much_as_one(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("P", (16, 16), 0).save(file, "GIF")
    body = file.getvalue()
    start = body.index(b"\x2c")
    (tmp_path / "x").write_bytes(body[:start] + body[start:-1] * 100_000 + b"\x3b")
    began = cpu_seconds()
    assert await prepare_image(tmp_path / "x", tmp_path / "out.png") == (16, 16)
    assert cpu_seconds() - began < 2


async def test_more_bytes_than_allowed_are_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    with pytest.raises(MediaRefused, match=r"Must be at most 10 MB, got 11.0 MB"):
        await check_media(tmp_path / "x", "image", None, "image")
