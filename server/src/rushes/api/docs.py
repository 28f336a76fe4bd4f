"""The OpenAPI document and a page that shows it. The document is made in openapi.py."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rushes.api.answers import reply
from rushes.api.openapi import document
from rushes.api.services import services_of


async def openapi(request: Request) -> Response:
    """GET /openapi.json."""
    return reply(document(services_of(request).links.public_url))


async def page(request: Request) -> Response:
    """GET /docs: every operation on one page, without scripts."""
    api = document(services_of(request).links.public_url)
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code><td><code>{escape(path)}</code><td>{escape(operation['summary'])}"
        for path, operations in api["paths"].items()
        for method, operation in operations.items()
    )
    html = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>rushes API</title><style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td{padding:.2rem .8rem .2rem 0;vertical-align:top}</style><h1>rushes API</h1>"
        "<p>Send <code>Authorization: Bearer YOUR_KEY</code>. The machine-readable document is "
        "<a href=/openapi.json>/openapi.json</a>.</p>"
        f"<table>{rows}</table></html>"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})
