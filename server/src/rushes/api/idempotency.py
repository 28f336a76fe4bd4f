"""The header Idempotency-Key, and an answer given again under it."""

import re

from starlette.requests import Request
from starlette.responses import Response

from rushes.domain.errors import ApiError

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key(request: Request) -> str | None:
    """The key, None without one. Raises ApiError 400."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise ApiError(
            "invalid_request",
            "Invalid Idempotency-Key, must be 1 to 255 visible ASCII characters",
            param="Idempotency-Key",
        )
    return key


def replayed(answer: str) -> Response:
    """The first answer again, byte for byte."""
    return Response(answer, 200, {"Idempotent-Replayed": "true"}, "application/json")
