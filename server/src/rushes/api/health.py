"""/healthz: this process answers. /readyz: it can do its work."""

from starlette.requests import Request
from starlette.responses import Response

from rushes.api.answers import reply
from rushes.api.services import services_of
from rushes.domain.errors import ApiError
from rushes.store.database import DatabaseUnavailable


async def healthz(_: Request) -> Response:
    return reply({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 once the database answers; says nothing about the inside."""
    services = services_of(request)
    try:
        async with services.database.connection() as connection:
            await connection.execute("SELECT 1")
    except DatabaseUnavailable as error:
        raise ApiError("unavailable", "Not ready") from error
    return reply({"status": "ready"})
