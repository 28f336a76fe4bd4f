"""The end of a video whose request is over: stopped where the dialect can, and its record deleted."""

from rushes.engines.engine import Abandoned, Alive, EngineLost
from rushes.engines.openai_videos.options import Dialect
from rushes.engines.openai_videos.videos import SKEW_SECONDS, listed, retrieved, the_one
from rushes.engines.remembered import Trace, searched
from rushes.engines.server import CALL_SECONDS, Server, Unreached, refused


async def abandon(server: Server, dialect: Dialect, trace: Trace | None, alive: Alive) -> Abandoned:
    """As the protocol says. A video that cannot be stopped is asked for again until it has ended, for then its record
    goes: no record expires by itself.

    Without an id the list is searched by prompt and size, for no more than that is told; so only among the videos that
    were begun about then.
    """
    if trace is None:  # the table names another server now
        return "unknown"
    if trace.is_empty:
        return "stopped"
    if trace.id is None and "prompt" not in trace.payload:  # remembered by an earlier release
        return "unknown"
    video_id = trace.id or await searched(trace, lambda: _sought(server, trace), alive)
    if video_id is None:
        return "unknown"
    video = await retrieved(server, video_id)
    if video is None:
        return "stopped"
    if dialect == "sglang" and video.get("status") in ("queued", "in_progress"):
        raise EngineLost("The server stops no video; the record goes when this one has ended")
    return await _deleted(server, video_id)


async def _sought(server: Server, trace: Trace) -> str | None:
    sent_at = trace.sent_at or 0.0
    until = sent_at + CALL_SECONDS + SKEW_SECONDS
    return the_one(await listed(server), trace.payload, sent_at - SKEW_SECONDS, until)


async def _deleted(server: Server, video_id: str) -> Abandoned:
    reply = await server.call("DELETE", f"/v1/videos/{video_id}")
    if reply.status < 300 or reply.status in (404, 410):
        return "stopped"
    if reply.status in (405, 501):
        return "running"
    if reply.status in (401, 403):
        raise refused(reply, "to delete a video")
    raise Unreached(f"The server answered {reply.status} to the end of a video", sent=True)  # 409: still stopping
