"""What a serving process could do if it did nothing: a Starlette route beside the real ones, with an answer as long."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/bare"
ANSWER = b'{"status":"success","filler":"' + b"x" * 1500 + b'"}'


async def _bare(request: Request) -> Response:
    await request.body()
    return Response(ANSWER, media_type="application/json")


def beside(app: ASGIApp) -> ASGIApp:
    """The application, and the bare endpoint at PATH."""
    bare = Starlette(routes=[Route(PATH, _bare, methods=["GET", "POST"])])

    async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
        await (bare if scope.get("path") == PATH else app)(scope, receive, send)

    return chosen
