"""docs/reference/api.md: the operations of the key prefix and the others, from the OpenAPI document."""

from typing import Any

from rushes.api.openapi import document
from rushes.api.routes import KEY_PREFIX, ROUTES

INTRO = f"""# API reference
The request queue answers under `{KEY_PREFIX}`, and the same under `/api/v1/apikey`.
`/api/v1/ie/requestqueue` serves sessions: there `GET models` answers objects instead of ids.
Send `Authorization: Bearer KEY`. Times are unix seconds, money is in micro-dollars. A running server has all this at
`/docs` and as an OpenAPI document at `/openapi.json`. Errors: [errors.md](errors.md).
"""


def api_page() -> str:
    """The page as Markdown."""
    api = document(ROUTES, "")
    lines = [INTRO]
    for tag in api["tags"]:
        lines.append(f"## {tag['name']}")
        for path, operations in api["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"] and not operation["operationId"].startswith(("short_", "session_")):
                    lines += _operation(path, method, operation, api["components"]["schemas"])
    return "\n".join(lines).rstrip() + "\n"


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    lines = [f"### {method.upper()} {path}", f"{operation['summary']}", ""]
    named = [p for p in operation["parameters"] if p["in"] != "path"]
    if named:
        lines += ["| in | name | what |", "|---|---|---|"]
        lines += [f"| {p['in']} | `{p['name']}` | {_said(p['schema'])} |" for p in named]
        lines.append("")
    if "requestBody" in operation:
        media, content = next(iter(operation["requestBody"]["content"].items()))
        lines += [f"Body ({media}): {_fields(content['schema'], schemas)}", ""]
    for status, answer in operation["responses"].items():
        if status.startswith("2") and "content" in answer:
            media, content = next(iter(answer["content"].items()))
            lines += [f"{status}: {_fields(content['schema'], schemas) if 'schema' in content else media}", ""]
    errors = [f"{s} {a['description']}" for s, a in operation["responses"].items() if s[0] in "45"]
    return [*lines, f"Errors: {'; '.join(errors)}", ""]


def _said(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    words = [schema.get("description", "").rstrip(".")]
    if "enum" in schema:
        words.append("one of " + ", ".join(f"`{value}`" for value in schema["enum"]))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        words.append(f"{low} to {high}" if high is not None else f"at least {low}")
    if "default" in schema:
        words.append(f"default `{schema['default']}`")
    kind = schema.get("type")
    return "; ".join(word for word in words if word) or (kind if isinstance(kind, str) else "text")


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The fields of an object, or the name of a plain value."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return ", or ".join(_fields(choice, schemas) for choice in choices)
    name = schema.get("$ref", "").rpartition("/")[2]
    found = schemas[name] if name else schema
    fields = ", ".join(f"`{field}`" for field in found.get("properties", {}))
    return f"{name or 'an object'}: {fields}" if fields else _said(found)
