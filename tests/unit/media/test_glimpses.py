"""The pictures kept of a clip: thumbnail, first and last frame, preview."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rushes.media.encode import encode
from rushes.media.glimpses import Glimpse, Glimpses, look


def shown(path: Path) -> list[float]:
    """The mean brightness of every picture of a file."""
    with Image.open(path) as file:
        found: list[float] = []
        for number in range(getattr(file, "n_frames", 1)):
            file.seek(number)
            found.append(float(np.asarray(file.convert("RGB")).mean()))
    return found


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuv420p"])
def test_each_picture_is_the_frame_it_says(tmp_path: Path, ramp: Any, pixel_format: str) -> None:
    frames = ramp(count=50, pixel_format=pixel_format)
    encode(frames, tmp_path / "video.mp4", keep_frames=50, comment="").glimpses.write(tmp_path)
    for name, number in (("first_frame", 0), ("thumbnail", 20), ("last_frame", 49)):
        level = int(frames.frame(number)[0].flat[0])
        expected = (level - 16) * 255 / 219 if pixel_format == "yuv420p" else level
        assert shown(tmp_path / f"{name}.jpg") == pytest.approx([expected], abs=2)


def test_the_last_frame_is_the_last_that_is_kept(tmp_path: Path, ramp: Any) -> None:
    frames = ramp(count=50, pixel_format="rgb24")
    encode(frames, tmp_path / "video.mp4", keep_frames=40, comment="").glimpses.write(tmp_path)
    assert shown(tmp_path / "last_frame.jpg") == pytest.approx([frames.frame(39).flat[0]], abs=2)


@pytest.mark.parametrize(
    ("size", "thumbnail", "preview"),
    [
        ((1280, 720), (640, 360), (320, 180)),
        ((720, 1280), (360, 640), (180, 320)),
        ((64, 48), (64, 48), (64, 48)),
        ((4096, 16), (640, 2), (320, 1)),
    ],
)
def test_pictures_are_made_smaller_and_never_larger(
    tmp_path: Path, ramp: Any, size: tuple[int, int], thumbnail: tuple[int, int], preview: tuple[int, int]
) -> None:
    frames = ramp(width=size[0], height=size[1], count=8)
    written = encode(frames, tmp_path / "video.mp4", keep_frames=8, comment="").glimpses.write(tmp_path)
    assert written == [
        Glimpse("thumbnail", *thumbnail),
        Glimpse("first_frame", *size),
        Glimpse("last_frame", *size),
        Glimpse("preview", *preview, seconds=0.333),
    ]
    for glimpse, name in zip(
        written, ("thumbnail.jpg", "first_frame.jpg", "last_frame.jpg", "preview.webp"), strict=True
    ):
        with Image.open(tmp_path / name, formats=["WEBP" if "webp" in name else "JPEG"]) as picture:
            assert (picture.size, picture.mode) == ((glimpse.width, glimpse.height), "RGB")


@pytest.mark.parametrize(("count", "pictures", "each"), [(1, 1, 0), (24, 8, 125), (72, 24, 125), (240, 24, 125)])
def test_a_preview_lasts_as_long_as_the_clip_and_never_more_than_three_seconds(
    tmp_path: Path, ramp: Any, count: int, pictures: int, each: int
) -> None:
    """A longer clip is shown whole, at a higher speed."""
    frames = ramp(count=count)
    encode(frames, tmp_path / "video.mp4", keep_frames=count, comment="").glimpses.write(tmp_path)
    brightness = shown(tmp_path / "preview.webp")
    assert len(brightness) == pictures
    assert brightness == sorted(brightness)
    with Image.open(tmp_path / "preview.webp") as preview:
        preview.load()
        assert preview.info["duration"] == each
        assert preview.info["loop"] == (pictures == 1), "for ever, if it moves"


def test_nothing_was_seen_and_nothing_is_written(tmp_path: Path) -> None:
    assert Glimpses(24, 1.0, look).write(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
