"""Bytes of an object as an HTTP answer: HEAD, one Range, ETag, and headers that keep a browser from guessing."""

import re
from collections.abc import AsyncIterator
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rushes.artifacts.objects import Objects

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Accept-Ranges": "bytes",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def serve_object(
    request: Request, objects: Objects, path: str, *, content_type: str, size: int, etag: str, name: str
) -> Response:
    """Answer GET or HEAD. Raises ObjectMissing or StorageUnavailable before the first byte."""
    inline = content_type.startswith(("video/", "image/", "audio/"))
    headers = {
        **SAFE_HEADERS,
        "ETag": f'"{etag}"',
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{name}"',
    }
    if request.headers.get("if-none-match") in (f'"{etag}"', "*"):
        return Response(status_code=304, headers=headers)
    chosen = _chosen(request, size, etag)
    if isinstance(chosen, str):
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, end, status = (0, size, 200) if chosen is None else (*chosen, 206)
    headers["Content-Length"] = str(end - start)
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=content_type)
    await objects.size(path)
    return StreamingResponse(_body(objects, path, start, end), status, headers, content_type)


async def _body(objects: Objects, path: str, start: int, end: int) -> AsyncIterator[bytes]:
    async for part in objects.read(path, start, end):
        yield part


def _chosen(request: Request, size: int, etag: str) -> tuple[int, int] | Literal["unsatisfiable"] | None:
    """The byte range asked for, as start and end; None for all of it (also for several ranges, which is allowed)."""
    header = request.headers.get("range")
    condition = request.headers.get("if-range")
    if header is None or (condition is not None and condition != f'"{etag}"'):
        return None
    match = _RANGE.fullmatch(header.strip())
    if match is None or (not match.group(1) and not match.group(2)):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, size) if length else "unsatisfiable"
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < min(end, size) else "unsatisfiable"
