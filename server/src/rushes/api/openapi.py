"""The OpenAPI 3.1 document, made from the table of routes, operations.py, schemas.py and the table of errors."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rushes import __version__
from rushes.accounts.page_cookie import SECURE_NAME
from rushes.api.operation import Operation
from rushes.api.operations import HEADERS, OPERATIONS, PATH, QUERY, body_of
from rushes.api.route import Route
from rushes.api.schema import TEXT, Schema, ref
from rushes.api.schemas import SCHEMAS
from rushes.domain.errors import HTTP_ERRORS

ALIASES = ("short_", "session_")
INFO = (
    "A self-hosted video-generation cloud. Submit a request, observe it until its status is final, fetch the video."
    " Every error has the same flat body; times are unix seconds, money is in micro-dollars."
)


def document(routes: Sequence[Route], server: str) -> dict[str, Any]:
    """The whole document. Raises KeyError for a route that operations.py does not describe."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path.replace(":path", ""), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "rushes", "version": __version__, "description": INFO},
        "servers": [{"url": server}],
        "security": [],
        "tags": [{"name": name} for name in dict.fromkeys(each.section for each in OPERATIONS.values())],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or an access token."},
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Key` and an API key, as early samples send it.",
                },
                "page": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SECURE_NAME,
                    "description": "The web page's cookie, in calls of our own page only.",
                },
            },
        },
    }


def described(operation: str) -> Operation:
    """What operations.py says of an operation; one under an alias prefix is described once, unless it differs."""
    if operation in OPERATIONS:
        return OPERATIONS[operation]
    for alias in ALIASES:
        if operation.startswith(alias):
            return OPERATIONS[operation.removeprefix(alias)]
    raise KeyError(f"operations.py does not describe {operation}")


def _operation(route: Route) -> dict[str, Any]:
    told = described(route.operation)
    shown: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [told.section],
        "summary": told.summary,
        "parameters": [
            *_path_parameters(route.path),
            *_named(told.query, QUERY, "query"),
            *_named(told.headers, HEADERS, "header"),
        ],
        "responses": _responses(told),
    }
    if told.secured:
        shown["security"] = [{"bearer": []}, {"key": []}, {"page": []}]
    if told.body:
        media, schema = body_of(told.body)
        shown["requestBody"] = {"required": True, "content": {media: {"schema": schema}}}
    return shown


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [name.removesuffix(":path") for name in re.findall(r"\{([^}]+)\}", path)]
    return [{"name": name, "in": "path", "required": True, "schema": PATH.get(name, TEXT)} for name in names]


def _named(names: Sequence[str], table: dict[str, Schema], place: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": place, "schema": table[name]} for name in names]


def _responses(told: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {"200": _answer(told, told.answer)}
    for status, name in told.more.items():
        if status == 200:
            shown["200"]["content"][name] = {"schema": TEXT}
        else:
            shown[str(status)] = _answer(told, name)
    codes = {*told.errors, "invalid_request", "internal", "unavailable"}
    if told.secured:
        codes |= {"unauthenticated", "forbidden"}
    by_status = sorted((HTTP_ERRORS[code] for code in codes), key=lambda row: (row.status, row.code))
    for status, rows in groupby(by_status, key=lambda row: row.status):
        content = {"application/json": {"schema": ref("Error")}}
        if told.media == "application/xml":
            content = {"application/xml": {"schema": TEXT}}
        shown[str(status)] = {"description": ", ".join(row.code for row in rows), "content": content}
    return shown


def _answer(told: Operation, name: str) -> dict[str, Any]:
    if not name:
        return {"description": "No body."}
    if name not in SCHEMAS:
        return {"description": "The bytes.", "content": {told.media: {}}}
    schemas = [ref(each) for each in (name, *(told.also if name == told.answer else ()))]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}
