"""A plan's files, put where the upstream can read them, by the upstream's own upload route."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from rushes.engines.engine import EngineLost, InvalidInput, Plan
from rushes.engines.server import Server, refused

CHUNK = 1 << 20
# The exact types that the upstream signs; any other answers 403.
TYPES = {
    "png": ("image/png", "image"),
    "jpg": ("image/jpg", "image"),
    "mp4": ("video/mp4", "video"),
    "wav": ("audio/wav", "audio"),
    "mp3": ("audio/mpeg", "audio"),
}
# What our own servers take beside those.
MORE = {
    "webp": ("image/webp", "image"),
    "gif": ("image/gif", "image"),
    "bmp": ("image/bmp", "image"),
    "mov": ("video/quicktime", "video"),
    "webm": ("video/webm", "video"),
    "m4a": ("audio/mp4", "audio"),
    "ogg": ("audio/ogg", "audio"),
    "flac": ("audio/flac", "audio"),
}


async def payload_with_links(server: Server, prefix: str, plan: Plan, *, ours: bool) -> dict[str, Any]:
    """The payload, each of its files replaced by a link to it. Raises InvalidInput, Unsupported, EngineLost."""
    payload: dict[str, Any] = dict(plan.extra["payload"])
    for role, path in sorted(plan.inputs.items()):
        name, _, number = role.rpartition(".")
        link = await _uploaded(server, prefix, name, Path(path), {**TYPES, **(MORE if ours else {})})
        value: Any = payload[name]
        payload[name] = [*value[: int(number)], link, *value[int(number) + 1 :]] if isinstance(value, list) else link
    return payload


async def _uploaded(server: Server, prefix: str, name: str, path: Path, types: Mapping[str, tuple[str, str]]) -> str:
    ending = path.suffix.removeprefix(".")
    if ending not in types:
        raise InvalidInput(f"the upstream takes {', '.join(types)}, not {ending or 'this'}", field=name)
    content_type, kind = types[ending]
    reply = await server.post_json(f"{prefix}/upload-url", {"file_type": ending, "type": kind}, timeout=60)
    if reply.status != 200:
        raise refused(reply, "an upload")
    put, link = reply.data.get("upload_url"), reply.data.get("public_url")
    if not isinstance(put, str) or not isinstance(link, str):
        raise EngineLost("The upstream's answer names no place to upload to")
    size = (await asyncio.to_thread(path.stat)).st_size
    status = await server.put(put, _pieces(path), size, content_type)
    if status not in (200, 201, 204):
        raise EngineLost(f"The upload to the upstream was answered with {status}")
    return link


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, CHUNK):
            yield piece
    finally:
        file.close()
