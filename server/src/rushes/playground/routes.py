"""Every page once: methods, path, screen. A table, no logic."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from rushes.playground.page import Page
from rushes.playground.screens import compare, files, home, keys, models, operate, requests, sign_in, usage, webhooks


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One page; HEAD comes with GET. A page that is not public is for those who have signed in.

    A public one may be, too: it then looks itself, because it has something better to say than "sign in".
    """

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
    PageRoute(SEND, "/models/{model_id:path}", models.generate, public=True),
    PageRoute(READ, "/requests", requests.listing),
    PageRoute(READ, "/requests/{request_id}", requests.detail),
    PageRoute(SEND, "/requests/{request_id}/{action}", requests.act),
    PageRoute(READ, "/compare", compare.compare),
    PageRoute(READ, "/files", files.listing),
    PageRoute(SEND, "/files/{action}", files.act),
    PageRoute(READ, "/keys", keys.listing),
    PageRoute(SEND, "/keys/{action}", keys.act),
    PageRoute(READ, "/usage", usage.usage),
    PageRoute(READ, "/usage.csv", usage.table),
    PageRoute(READ, "/webhooks", webhooks.listing),
    PageRoute(SEND, "/webhooks/{action}", webhooks.act),
    PageRoute(READ, "/webhooks/deliveries/{delivery_id}", webhooks.delivery),
    PageRoute(READ, "/operate", operate.operate),
    PageRoute(SEND, "/operate/{what}/{order}", operate.act),
)
