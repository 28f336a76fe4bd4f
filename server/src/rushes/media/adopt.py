"""A finished video from a remote engine becomes an artifact of ours: hostile until a child process has remade it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rushes.media.confined import confined
from rushes.media.pictures import Unreadable
from rushes.media.probe import NotAsPlanned, VideoFacts
from rushes.media.sniff import sniff_file


async def adopt_video(path: Path, out: Path, thumbnail: Path, *, comment: str) -> VideoFacts:
    """Write the first video and sound stream of `path` to the mp4 `out`, its `moov` first, and the thumbnail.

    Nothing is compressed anew, and nothing else of the file survives: other streams, tags and attachments are left
    out, `comment` is put in. The facts are those of `out`, counted. Whether they suit the plan is for the caller to
    judge, since an upstream rounds sizes and lengths as it likes.

    Raises NotAsPlanned when it is no video that can be kept, OSError when the disk refuses. Then neither file exists.
    """
    found = await asyncio.to_thread(sniff_file, path)
    if found is None or found.kind != "video":
        raise NotAsPlanned((f"it is {found.name if found else 'something else'}, not a video",))
    order = {"do": "adopt video", "path": str(path), "reader": found.reader, "out": str(out)}
    try:
        facts = await confined({**order, "thumbnail": str(thumbnail), "comment": comment})
    except Unreadable as error:
        await asyncio.to_thread(_discard, out, thumbnail)
        raise NotAsPlanned((str(error),)) from error
    except BaseException:
        await asyncio.to_thread(_discard, out, thumbnail)
        raise
    return VideoFacts.from_json(facts)


def _discard(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_name(f".{path.name}.part").unlink(missing_ok=True)
