"""The web application: one flat table of routes on Starlette, hot ones first (decisions/0002-starlette-alone.md)."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from rushes import __version__
from rushes.api.answers import Handler, answering, error_reply
from rushes.api.pace import paced
from rushes.api.route import Route
from rushes.api.routes import KEY_PREFIX, ROUTES, SESSION_PREFIX, SHORT_PREFIX
from rushes.api.services import Services
from rushes.config import Settings
from rushes.domain.errors import ApiError

MAX_HEADERS = 64
HOT = (f"{KEY_PREFIX}/requests/{{request_id}}", f"{KEY_PREFIX}/requests")
ALWAYS = ((b"rushes-version", __version__.encode()), (b"x-content-type-options", b"nosniff"))

Opened = Callable[[Settings], AbstractAsyncContextManager[Services]]


def build(settings: Settings, opened: Opened) -> "Edge":
    """The ASGI application; `opened` makes the parts at start-up and lets go of them at shutdown."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with opened(settings) as services:
            app.state.services = services
            app.state.routes = ROUTES
            yield

    app = Starlette(
        routes=_web_routes(),
        lifespan=lifespan,
        exception_handlers={HTTPException: _framework_error, Exception: _unexpected},
    )
    app.router.redirect_slashes = False
    return Edge(app)


def _web_routes() -> list[WebRoute]:
    """One Starlette route per path, so that a wrong method is answered with every right one in Allow."""
    by_path = groupby(sorted(enumerate(ROUTES), key=lambda pair: _rank(pair[1].path)), key=lambda pair: pair[1].path)
    return [_web_route(path, [route for _, route in rows]) for path, rows in by_path]


def _rank(path: str) -> tuple[int, bool, str]:
    """Hot paths first, the hottest at the head, then plain ones, then those whose last part swallows slashes."""
    return (HOT.index(path) if path in HOT else len(HOT), ":path}" in path, path)


def _web_route(path: str, routes: list[Route]) -> WebRoute:
    handlers: dict[str, Handler] = {route.method: answering(route.handler) for route in routes}
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]

    async def dispatch(request: Request) -> Response:
        return await handlers[request.method](request)

    return WebRoute(path, dispatch, methods=list(handlers))


async def _framework_error(_: Request, error: Exception) -> Response:
    """404 and 405 of the router, in our body."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return error_reply(ApiError("method_not_allowed", headers=error.headers))
    return error_reply(ApiError("not_found") if error.status_code == 404 else ApiError("invalid_request"))


async def _unexpected(_: Request, __: Exception) -> Response:
    return error_reply(ApiError("internal"))


class Edge:
    """What every exchange has: no trailing slash, the session prefix noted, our version and instance in the answer.

    And an id of its own, in the answer as Rushes-Call-Id and in every line of the log that it causes: what somebody
    copies from an error leads to the lines about it.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def end_waits(self) -> None:
        """Call this when a stop is asked for: a server that drains waits for its streams, which do not end by
        themselves."""
        services = getattr(self._app.state, "services", None)
        if services is not None:
            services.end_waits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/") or "/"}
        if path.startswith(SESSION_PREFIX) and not path.startswith((KEY_PREFIX, SHORT_PREFIX)):
            scope["rushes_session_prefix"] = True
        services = getattr(self._app.state, "services", None)
        call_id = secrets.token_hex(8)
        ours = [(b"rushes-call-id", call_id.encode()), *ALWAYS]
        if services is not None:
            ours.append((b"rushes-instance", str(services.instance).encode()))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in ours if pair[0] not in present)]
            await send(message)

        if scope["method"] in ("POST", "PUT", "PATCH"):
            receive = paced(receive)
        refused = _refusal(scope)
        bound = bind_contextvars(call_id=call_id)
        try:
            await (self._app if refused is None else error_reply(refused))(scope, receive, sending)
        finally:
            reset_contextvars(**bound)


def _refusal(scope: Scope) -> ApiError | None:
    """Why a call is refused whatever it is for. A NUL names nothing, and PostgreSQL's texts cannot hold it."""
    if len(scope["headers"]) > MAX_HEADERS:
        return ApiError("invalid_request", f"Too many headers, at most {MAX_HEADERS} are read")
    if "\0" in scope["path"]:
        return ApiError("not_found")
    if b"%00" in scope["query_string"]:
        return ApiError("invalid_request", "Invalid query, it has a NUL character")
    return None
