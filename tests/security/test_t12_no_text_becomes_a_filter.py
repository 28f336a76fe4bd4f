"""T12, the encoder's part: no text of a customer is ever read as a command by FFmpeg."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import rushes
from rushes.media.encode import encode


class Grey:
    width, height, fps, count, pixel_format, audio = 64, 48, 24, 4, "yuv420p", None

    def __iter__(self) -> Iterator[Any]:
        for _ in range(self.count):
            yield np.full((72, 64), 120, np.uint8)


def test_no_source_file_builds_a_filter_graph() -> None:
    source = Path(rushes.__file__).parent
    for path in source.rglob("*.py"):
        assert not re.search(r"av\.filter|filter\.Graph|\bGraph\(|drawtext|subtitles=|movie=", path.read_text()), path


@pytest.mark.parametrize(
    "comment",
    [
        "engine: animatic\nmajor_brand=evil\r\n[CHAPTER]\nTIMEBASE=1/1",
        "a': drawtext=textfile=/etc/passwd",
        "x\u2028y\x0bz\x85",
        "\u202eright to left, and \U0001f3ac",
        "word " * 20_000,
        "a\0b\ud800c \x1b[31mred",
        "",
    ],
)
def test_a_comment_is_one_line_of_the_file_and_nothing_more(tmp_path: Path, comment: str) -> None:
    encode(Grey(), tmp_path / "video.mp4", keep_frames=4, comment=comment)  # type: ignore[arg-type]
    with av.open(str(tmp_path / "video.mp4"), format="mp4") as file:
        kept = file.metadata.get("comment", "")
        assert set(file.metadata) <= {"major_brand", "minor_version", "compatible_brands", "comment"}
        assert file.metadata["major_brand"] == "isom"
        assert len(file.streams) == 1
    assert kept.split() == ["".join(c for c in word if c.isprintable()) for word in comment.split()]
    assert kept.isprintable()
