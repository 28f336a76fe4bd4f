"""Uploads: a signed place for a PUT, a direct multipart POST, listing and deletion."""

import asyncio
import contextlib
import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive

from rushes.api import cursor as cursors
from rushes.api.answers import as_api_error, reply
from rushes.api.auth import authenticate
from rushes.api.body import json_object
from rushes.api.idempotency import idempotency_key, replayed
from rushes.api.limits import UPLOAD_LIMIT, upload_allowed
from rushes.api.query import number
from rushes.api.services import Services, services_of
from rushes.artifacts.links import Verdict
from rushes.domain.errors import ApiError
from rushes.media.inputs import MediaRefused
from rushes.media.limits import MAX_BYTES
from rushes.store.files import File
from rushes.store.submits import KeyReused

MAX_UPLOAD = max(MAX_BYTES.values())
FORM_BYTES = 1_000_000
"""What a form may have around its file."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


async def upload_url(request: Request) -> Response:
    """POST upload-url: where to PUT a file, and where it can be read then."""
    services = services_of(request)
    caller = await authenticate(request, write=True)
    body = await json_object(request)
    file_type = body.get("file_type")
    if not isinstance(file_type, str) or not file_type.strip():
        raise ApiError("invalid_request", "Missing file_type, such as png or mp4", param="file_type")
    headers = await upload_allowed(services, caller.org_id, caller.limit(UPLOAD_LIMIT), 0)
    place = await services.uploads.place(caller.org_id, file_type)
    answer = {"upload_url": place.upload_url, "public_url": place.public_url, "expires_at": place.expires_at}
    return reply(answer, headers=headers)


async def put(request: Request) -> Response:
    """PUT to a signed place: 200 with an empty body, errors as XML as object stores answer."""
    try:
        return await _put(request)
    except ClientDisconnect:
        return Response(status_code=400)
    except MediaRefused as error:
        return _xml(400, "InvalidArgument", error.fault.message)
    except Exception as error:
        told = as_api_error(error)
        return _xml(told.row.status, _XML_CODES.get(told.row.code, "InternalError"), told.text)


async def _put(request: Request) -> Response:
    services = services_of(request)
    verdict = services.links.judge(request.url.path, request.query_params, method="PUT", now=time.time())
    if verdict is not Verdict.GOOD:
        raise ApiError("forbidden", "This upload link is not valid" if verdict is Verdict.FORGED else "Link expired")
    text = request.path_params["file_id"]
    place = await services.files.place(UUID(text)) if _UUID.fullmatch(text) else None
    if place is None:
        raise ApiError("file_not_found")
    declared = request.headers.get("content-length", "")
    own = await services.accounts.limit(place.org_id, UPLOAD_LIMIT)
    await upload_allowed(services, place.org_id, own, int(declared) if declared.isdigit() else 0)
    async with _received(services, request.stream(), declared) as body:
        await services.uploads.fill(place, body)
    return Response(status_code=200)


async def post(request: Request) -> Response:
    """POST files: one multipart field `file`, streamed to disk."""
    services = services_of(request)
    caller = await authenticate(request, write=True)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ApiError("unsupported_media_type", "Unsupported media type, send multipart/form-data with a field file")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_UPLOAD + FORM_BYTES:
        raise _too_large()
    own = caller.limit(UPLOAD_LIMIT)
    headers = await upload_allowed(services, caller.org_id, own, int(declared) if declared.isdigit() else 0)
    key = idempotency_key(request)
    counted = Request(request.scope, _counted(request.receive, MAX_UPLOAD + FORM_BYTES))
    async with counted.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise ApiError("invalid_request", "Missing file, send it as the multipart field file", param="file")
        async with _received(services, _chunks(sent), str(sent.size or "")) as body:
            digest = await asyncio.to_thread(_digest, body) if key is not None else b""
            if key is not None and (again := await _again(services, caller.org_id, key, digest)) is not None:
                return again
            try:
                file = await services.uploads.store(caller.org_id, body)
            except MediaRefused as error:
                raise ApiError("invalid_request", f"Invalid file, {error.fault.message}", param="file") from error
    answer = orjson.dumps(_shown(services, file)).decode()
    if key is not None and not await services.files.remember(caller.org_id, key, digest, file.file_id, answer):
        # Another call under this key was quicker: its answer is the first one.
        first = await _again(services, caller.org_id, key, digest)
        return first or Response(answer, 200, headers, "application/json")
    return Response(answer, 200, headers, "application/json")


async def _again(services: Services, org_id: UUID, key: str, digest: bytes) -> Response | None:
    """The first answer under a key; None when it is new. Raises ApiError 422 when it was used for other bytes."""
    try:
        answer = await services.requests.replayed(org_id, key, digest)
    except KeyReused as error:
        raise ApiError("idempotency_mismatch") from error
    return None if answer is None else replayed(answer)


def _digest(body: Path) -> bytes:
    with body.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


async def listing(request: Request) -> Response:
    """GET files, newest first, by offset or cursor."""
    services = services_of(request)
    caller = await authenticate(request)
    limit = number(request, "limit", 100, low=1, high=1000, clamp=True)
    offset = number(request, "offset", 0, low=0, high=10**9)
    cursor = request.query_params.get("cursor")
    if cursor and "offset" in request.query_params:
        raise ApiError("invalid_request", "Invalid cursor, give either cursor or offset", param="cursor")
    before = cursors.read(cursor) if cursor else None
    found, total = await services.files.listed(caller.org_id, limit + 1, offset, before)
    page, has_more = found[:limit], len(found) > limit
    return reply(
        {
            "files": [_shown(services, file) for file in page],
            "total": total,
            "has_more": has_more,
            "next_cursor": cursors.written(page[-1].created_at, page[-1].file_id) if has_more else None,
        }
    )


async def get(request: Request) -> Response:
    """GET files/{id}: its metadata."""
    services = services_of(request)
    caller = await authenticate(request)
    file = await services.files.get(caller.org_id, _file_id(request))
    if file is None:
        raise ApiError("file_not_found")
    return reply(_shown(services, file))


async def delete(request: Request) -> Response:
    """DELETE files/{id}: the file and its bytes, now."""
    services = services_of(request)
    caller = await authenticate(request, write=True)
    file = await services.uploads.delete(caller.org_id, _file_id(request))
    if file is None:
        raise ApiError("file_not_found")
    return reply({"file_id": str(file.file_id), "deleted": True})


_XML_CODES = {
    "forbidden": "AccessDenied",
    "file_not_found": "NoSuchKey",
    "body_too_large": "EntityTooLarge",
    "rate_limited": "SlowDown",
    "storage_unavailable": "ServiceUnavailable",
    "unavailable": "ServiceUnavailable",
}


def _xml(status: int, code: str, text: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>'
    )
    return Response(body, status, media_type="application/xml")


@contextlib.asynccontextmanager
async def _received(services: Services, parts: AsyncIterator[bytes], declared: str) -> AsyncGenerator[Path]:
    """A body streamed to a scratch file, which is gone afterwards. Raises ApiError 413."""
    if declared.isdigit() and int(declared) > MAX_UPLOAD:
        raise _too_large()
    folder = Path(tempfile.mkdtemp(dir=services.scratch))
    try:
        path, size = folder / "upload", 0
        with path.open("wb") as out:
            async for part in parts:
                size += len(part)
                if size > MAX_UPLOAD:
                    raise _too_large()
                out.write(part)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _counted(receive: Receive, limit: int) -> Receive:
    """The same messages up to a limit, for a form is spooled to disk before its file is looked at."""
    size = 0

    async def next_message() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise _too_large()
        return message

    return next_message


async def _chunks(sent: UploadFile) -> AsyncIterator[bytes]:
    while part := await sent.read(1 << 20):
        yield part


def _too_large() -> ApiError:
    return ApiError("body_too_large", f"Request body is too large, the limit is {MAX_UPLOAD >> 20} MB")


def _file_id(request: Request) -> UUID:
    text = request.path_params["file_id"].lower()
    if not _UUID.fullmatch(text):
        raise ApiError("file_not_found")
    return UUID(text)


def _shown(services: Services, file: File) -> dict[str, Any]:
    return {
        "file_id": str(file.file_id),
        "public_url": services.uploads.public_url(file),
        "content_type": file.content_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "width": file.facts.get("width") or None,
        "height": file.facts.get("height") or None,
        "seconds": file.facts.get("seconds") or None,
        "created_at": int(file.created_at.timestamp()),
        "expires_at": int(file.expires_at.timestamp()) if file.expires_at else None,
    }
