"""A finished video from a remote engine becomes an artifact of ours: hostile until a child process has remade it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from rushes.media.confined import confined
from rushes.media.glimpses import NAMES, Glimpse
from rushes.media.pictures import Unreadable
from rushes.media.probe import NotAsPlanned, VideoFacts
from rushes.media.sniff import sniff_file

DEADLINE_SECONDS: Final = 90.0


async def adopt_video(path: Path, out: Path, *, comment: str) -> tuple[VideoFacts, list[Glimpse]]:
    """Write the first video and sound stream of `path` to the mp4 `out`, its `moov` first, and its glimpses beside it.

    Nothing is compressed anew, and nothing else of the file survives: other streams, tags and attachments are left
    out, `comment` is put in. The facts are those of `out`, counted, and all frames of a clip of ordinary size have been
    decoded. Whether they suit the plan is for the caller to judge (probe.suits).

    Raises NotAsPlanned when it is no video that can be kept, OSError when the disk refuses. Then no file is left.
    """
    found = await asyncio.to_thread(sniff_file, path)
    if found is None or found.kind != "video":
        raise NotAsPlanned((f"it is {found.name if found else 'something else'}, not a video",))
    order = {"do": "adopt video", "path": str(path), "reader": found.reader, "out": str(out), "comment": comment}
    try:
        facts = await confined(order, DEADLINE_SECONDS)
    except Unreadable as error:
        await asyncio.to_thread(_discard, out)
        raise NotAsPlanned((str(error),)) from error
    except BaseException:
        await asyncio.to_thread(_discard, out)
        raise
    return VideoFacts.from_json(facts["video"]), [Glimpse(**glimpse) for glimpse in facts["glimpses"]]


def _discard(out: Path) -> None:
    for name in (out.name, *NAMES.values()):
        out.with_name(name).unlink(missing_ok=True)
