"""The calls for one video, and how a video is found again whose id never came."""

import re
from collections.abc import Mapping
from typing import Any

from rushes.engines.server import Server, Unreached, objects, refused

LISTED = 100
SKEW_SECONDS = 120.0
"""How far the server's clock may be from ours when its list is searched."""

Video = Mapping[str, Any]
_ID = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


async def retrieved(server: Server, video_id: str) -> Video | None:
    """The video, None if the server does not know it. Raises Unreached, also for an answer that is no video."""
    reply = await server.call("GET", f"/v1/videos/{video_id}")
    if reply.data.get("object") == "video":  # whatever the HTTP status: one dialect fails a video with 500
        return reply.data
    if reply.status == 404:
        return None
    if reply.status in (401, 403):
        raise refused(reply, "a question for a video")
    raise Unreached(f"The server answered {reply.status} instead of a video", sent=True)


async def listed(server: Server) -> list[Video]:
    """The latest videos. Raises Unreached, also for an answer that is no list."""
    reply = await server.call("GET", f"/v1/videos?limit={LISTED}&order=desc")
    if reply.status in (401, 403):
        raise refused(reply, "a question for its videos")
    if reply.status != 200:
        raise Unreached(f"The server answered {reply.status} instead of its videos", sent=True)
    return objects(reply.data, "data")


def id_of(video: Video) -> str | None:
    """Its id, if that may be part of a path."""
    found = video.get("id")
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def the_one(videos: list[Video], asked: Mapping[str, Any], since: float, until: float) -> str | None:
    """The id of the only video with the prompt and size that were `asked`, begun in this time; None if in doubt."""
    found = [video for video in videos if _is_it(video, asked, since, until)]
    return id_of(found[0]) if len(found) == 1 else None


def _is_it(video: Video, asked: Mapping[str, Any], since: float, until: float) -> bool:
    created = video.get("created_at")
    return (
        video.get("prompt") == asked.get("prompt")
        and video.get("size") in (None, "", asked.get("size"))
        and video.get("status") != "failed"
        and isinstance(created, int | float)
        and since <= created <= until
    )
