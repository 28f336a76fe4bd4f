"""The OpenAPI document, made from the table of routes and a sentence for each operation."""

from typing import Any

from rushes import __version__


def document(server: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    from rushes.api.routes import ROUTES

    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path.replace(":path", ""), {})[route.method.lower()] = {
            "operationId": route.operation,
            "summary": (route.handler.__doc__ or route.operation).splitlines()[0],
            "responses": {"default": {"description": "see the reference"}},
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "rushes", "version": __version__},
        "servers": [{"url": server}],
        "paths": paths,
    }
