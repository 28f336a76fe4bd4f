"""The small JPEG that stands for a video: 640 px on the long side, quality 85, from the frame at 40 %."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
from PIL import Image

from rushes.media.encode import THUMBNAIL_AT
from rushes.media.probe import DEMUXER, READ_OPTIONS, NotAsPlanned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONG_SIDE = 640
QUALITY = 85


def save_thumbnail(poster: NDArray[np.uint8], path: Path) -> tuple[int, int]:
    """Write a frame, uint8 RGB (height, width, 3), as the thumbnail at `path`, and return its width and height.

    Smaller frames keep their size. The file appears complete or not at all. Raises OSError when the disk refuses.
    """
    picture = Image.fromarray(poster)
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    part = path.with_name(f".{path.name}.part")
    try:
        picture.save(part, format="JPEG", quality=QUALITY)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return picture.size


def thumbnail_of_file(video: Path, path: Path) -> tuple[int, int]:
    """The same from a finished mp4: decodes the frame at 40 % of its length (its last one, should it be shorter).

    Raises NotAsPlanned when there is no frame to show, av.FFmpegError where nothing can be read.
    """
    with av.open(str(video), format=DEMUXER, options=READ_OPTIONS) as file:
        if not file.streams.video:
            raise NotAsPlanned(("it has no video stream",))
        stream = file.streams.video[0]
        start = stream.start_time or 0
        wanted = start + int((stream.duration or 0) * THUMBNAIL_AT)
        file.seek(wanted, stream=stream)
        shown = None
        for shown in file.decode(stream):
            if shown.pts is None or shown.pts >= wanted:
                break
        if shown is None:
            raise NotAsPlanned(("it has no frame to show",))
        return save_thumbnail(shown.to_ndarray(format="rgb24").astype("uint8"), path)
