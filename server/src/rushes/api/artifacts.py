"""Artifacts behind signed links, and uploaded files behind unguessable ones. Neither needs a credential."""

import re
import time
from pathlib import PurePath
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.services import services_of
from rushes.api.serving import serve_object
from rushes.artifacts.links import Verdict
from rushes.domain.artifact_kind import KINDS
from rushes.domain.errors import ApiError

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


async def artifact(request: Request) -> Response:
    """GET or HEAD /artifacts/{id}/{name}. 403 for a forged link, 410 for one whose time is over."""
    services = services_of(request)
    verdict = services.links.judge(request.url.path, request.query_params, method=request.method, now=time.time())
    if verdict is Verdict.FORGED:
        raise ApiError("forbidden", "This link was not made by this server or was changed")
    if verdict is Verdict.EXPIRED:
        raise ApiError("artifact_expired", "Artifact link expired, read the request again for a new one")
    text = request.path_params["artifact_id"]
    row = await services.files.artifact(UUID(text)) if _UUID.fullmatch(text) else None
    if row is None or not row["readable"]:
        raise ApiError("artifact_expired")
    return await serve_object(
        request,
        services.objects,
        row["path"],
        content_type=row["content_type"],
        size=row["size_bytes"],
        etag=row["sha256"],
        name=_download_name(row["request_id"], row["kind"]),
    )


def _download_name(request_id: UUID, kind: str) -> str:
    name = PurePath(KINDS[kind].file)
    return f"{request_id}{name.suffix}" if kind in ("video", "thumbnail") else f"{request_id}-{name}"


async def file(request: Request) -> Response:
    """GET or HEAD /files/{token}/{name}."""
    services = services_of(request)
    found = await services.files.by_token(request.path_params["token"])
    if found is None or found.size_bytes is None:
        raise ApiError("file_not_found")
    return await serve_object(
        request,
        services.objects,
        found.path,
        content_type=found.content_type,
        size=found.size_bytes,
        etag=found.sha256 or str(found.file_id),
        name=f"{found.kind}-{str(found.file_id)[:8]}",
    )
