"""Answers, and the one place where errors become HTTP."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from rushes.artifacts.objects import ObjectMissing, StorageUnavailable
from rushes.domain.errors import ApiError, InvalidPayload
from rushes.store.database import DatabaseUnavailable
from rushes.telemetry import logger

log = logger("api")

Handler = Callable[[Request], Awaitable[Response]]


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status, headers, "application/json")


def error_body(error: ApiError) -> dict[str, Any]:
    """The flat body of every error, its text twice: clients read `error` on some routes, `message` on others."""
    return {
        "error": error.text,
        "message": error.text,
        "code": error.row.code,
        "retryable": error.row.retryable,
        "param": error.param,
        "detail": dict(error.detail) if error.detail is not None else None,
    }


def error_reply(error: ApiError) -> Response:
    headers = dict(error.headers)
    if error.row.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if error.row.status in (429, 503):
        headers.setdefault("Retry-After", "1")
    return reply(error_body(error), error.row.status, headers)


def as_api_error(error: Exception) -> ApiError:
    """What a customer is told of any exception; the cause of an unexpected one goes to the log only."""
    match error:
        case ApiError():
            return error
        case InvalidPayload():
            return error.as_api_error()
        case DatabaseUnavailable():
            log.warning("database_unavailable", error=str(error))
            return ApiError("unavailable", "Temporarily unavailable, please try again")
        case StorageUnavailable():
            log.warning("storage_unavailable", error=str(error))
            return ApiError("storage_unavailable")
        case HTTPException(status_code=400):
            return ApiError("invalid_request", "Invalid form, the multipart body cannot be read")
        case ObjectMissing():
            return ApiError("artifact_expired")
        case _:
            log.error("internal_error", exc_info=error)
            return ApiError("internal")


def answering(handler: Handler) -> Handler:
    """A handler whose exceptions have become answers."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return error_reply(as_api_error(error))

    return answer
