"""Every page once: methods, path, screen. A table, no logic."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from rushes.playground.page import Page
from rushes.playground.screens import home, models, requests, sign_in


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One page; HEAD comes with GET. A page that is not public is for those who have signed in."""

    methods: tuple[str, ...]
    path: str
    screen: Callable[[Page], Awaitable[Response]]
    public: bool = False


READ, SEND = ("GET",), ("POST",)

ROUTES: tuple[PageRoute, ...] = (
    PageRoute(READ, "/", home.home, public=True),
    PageRoute(SEND, "/theme", home.theme, public=True),
    PageRoute(READ, "/sign-in", sign_in.form, public=True),
    PageRoute(SEND, "/sign-in", sign_in.sign_in, public=True),
    PageRoute(SEND, "/sign-out", sign_in.sign_out, public=True),
    PageRoute(READ, "/models", models.listing),
    PageRoute(READ, "/models/{model_id:path}", models.detail),
    PageRoute(SEND, "/models/{model_id:path}", models.generate),
    PageRoute(READ, "/requests", requests.listing),
    PageRoute(READ, "/requests/{request_id}", requests.detail),
    PageRoute(SEND, "/requests/{request_id}/{action}", requests.act),
)
