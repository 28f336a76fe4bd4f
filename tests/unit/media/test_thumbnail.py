"""The thumbnail: 640 px on the long side, from 40 % of the clip, from memory or from a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rushes.media.encode import encode
from rushes.media.probe import NotAsPlanned
from rushes.media.thumbnail import save_thumbnail, thumbnail_of_file


@pytest.mark.parametrize(
    ("width", "height", "size"), [(1280, 720, (640, 360)), (720, 1280, (360, 640)), (64, 48, (64, 48))]
)
def test_a_frame_becomes_a_jpeg_of_640_px(tmp_path: Path, width: int, height: int, size: tuple[int, int]) -> None:
    frame = np.full((height, width, 3), (200, 60, 30), np.uint8)
    assert save_thumbnail(frame, tmp_path / "thumbnail.jpg") == size
    with Image.open(tmp_path / "thumbnail.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", size)
        assert np.abs(np.array(picture)[5, 5].astype(int) - (200, 60, 30)).max() <= 4
    assert [p.name for p in tmp_path.iterdir()] == ["thumbnail.jpg"]


def test_a_file_gives_the_same_thumbnail_as_the_kept_frame(tmp_path: Path, ramp: Any) -> None:
    facts = encode(ramp(count=100), tmp_path / "video.mp4", keep_frames=100, comment="")
    save_thumbnail(facts.poster, tmp_path / "kept.jpg")
    thumbnail_of_file(tmp_path / "video.mp4", tmp_path / "read.jpg")
    with Image.open(tmp_path / "kept.jpg") as kept, Image.open(tmp_path / "read.jpg") as read:
        assert np.abs(np.array(kept).astype(int) - np.array(read)).max() <= 4


def test_a_file_without_pictures_has_no_thumbnail(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "sound.mp4"), "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=48_000, layout="stereo")
        from av import AudioFrame

        frame = AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with pytest.raises(NotAsPlanned, match="no video stream"):
        thumbnail_of_file(tmp_path / "sound.mp4", tmp_path / "thumbnail.jpg")
    assert not (tmp_path / "thumbnail.jpg").exists()
