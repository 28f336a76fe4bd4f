"""One decoder for every JSON body, with walls before the parser: size, depth, finite numbers."""

import hashlib
from typing import Any, cast

import orjson
from starlette.requests import Request

from rushes.domain.errors import ApiError

MAX_BODY = 12_000_000
MAX_DEPTH = 32


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises ApiError 413 as soon as it is known to be too large, before it has been read."""
    too_large = ApiError(
        "body_too_large",
        f"Request body is too large, the limit is {limit // 1_000_000} MB. Send large files by upload-url or URL"
        if limit >= 1_000_000
        else f"Request body is too large, the limit is {limit // 1_000} kB",
    )
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large
        parts.append(part)
    return b"".join(parts)


def decode(body: bytes) -> Any:
    """JSON with at most 32 levels and finite numbers; of two equal keys the last one counts. Raises ApiError 400."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError("invalid_json", f"Request body is not valid JSON ({error.msg})") from error
    if _too_deep(value):
        raise ApiError("invalid_json", f"Request body is not valid JSON for us (more than {MAX_DEPTH} levels deep)")
    if b"\\u0000" in body and b"\\u0000" in orjson.dumps(value).replace(rb"\\", b""):
        raise ApiError("invalid_json", "Request body is not valid JSON for us (a text holds a NUL character)")
    return value


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises ApiError 413, 415 or 400."""
    _require_json(request)
    value = decode(await read_body(request))
    if not isinstance(value, dict):
        raise ApiError("invalid_request", "Request body must be a JSON object")
    return cast(dict[str, Any], value)


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    # A cross-site form can send text/plain and form types without a preflight; documented clients send JSON or nothing.
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise ApiError("unsupported_media_type", "Unsupported media type, send Content-Type application/json")


def _too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(cast(dict[str, object], item).values())
            elif isinstance(item, list):
                deeper.extend(cast(list[object], item))
        if not deeper:
            return False
        level = deeper
    return True


def fingerprint(value: object) -> bytes:
    """A digest of a JSON value: equal for bodies that are equal by value."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
