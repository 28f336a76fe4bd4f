"""The page in front of the API: its own paths are answered here, every other one goes on to the API."""

import secrets
from collections.abc import Awaitable, Callable

import orjson
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from rushes.accounts.same_origin import SAFE_METHODS, is_from_own_page
from rushes.config import Settings
from rushes.playground.assets import Assets
from rushes.playground.page import Page, environment
from rushes.playground.public_api import Answer, PublicApi, Refused
from rushes.playground.routes import ROUTES
from rushes.playground.visitor import visitor
from rushes.telemetry import logger

log = logger("page")

Screen = Callable[[Page], Awaitable[Response]]


class Site:
    """The whole server as an ASGI application."""

    def __init__(self, api: ASGIApp, settings: Settings) -> None:
        self._api = api
        self._settings = settings
        assets = Assets()
        self._templates = environment(assets)
        routes = [
            Route(row.path, self._answering(row.screen, public=row.public), methods=list(row.methods)) for row in ROUTES
        ]
        routes.append(Route("/static/{digest}/{name:path}", assets.serve))
        self._pages = Router(routes, redirect_slashes=False, default=api)
        self._compressed = GZipMiddleware(self._pages, minimum_size=1000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Lifespan, and nearly all traffic: not even looked at here.
        if scope["type"] != "http" or scope["path"].startswith("/api/"):
            await self._api(scope, receive, send)
        elif _is_page(scope):
            await self._compressed(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    def _answering(self, screen: Screen, *, public: bool) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            page = Page(request, PublicApi(self._api, request), self._templates, self._settings.ordered_faults)
            try:
                self._refuse_strangers(page)
                if not public:
                    page.visitor = await visitor(page)
                return await screen(page)
            except Refused as error:
                return page.refused(error)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception as error:
                call_id = secrets.token_hex(8)
                log.error("page_error", path=request.url.path, call_id=call_id, exc_info=error)
                return page.broken(call_id)

        return answer

    def _refuse_strangers(self, page: Page) -> None:
        """Another site may lead a visitor here, but not send a form in their name. Raises Refused 403."""
        request = page.request
        public_url = self._settings.public_url
        if request.method in SAFE_METHODS or is_from_own_page(
            request.method,
            request.headers,
            with_cookie=bool(request.cookies),
            own_origins=(public_url,) if public_url else (),
        ):
            return
        body = {"code": "forbidden", "error": "This form was sent from another site, so nothing was done"}
        raise Refused(Answer(403, {}, orjson.dumps(body)))


def _is_page(scope: Scope) -> bool:
    """Whether an answer may be compressed: only what is read, and never a video or an answer to a form.

    (An answer to a form may hold a secret beside words somebody else chose, which compression would give away.)
    """
    return scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
