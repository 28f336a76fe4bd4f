"""The OpenAPI document, and a page that shows it without scripts. The document is made in openapi.py."""

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rushes.api.answers import reply
from rushes.api.openapi import ALIASES, document
from rushes.api.route import Route
from rushes.api.services import services_of

STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#1c1b1a,#e9e6e1);--soft:light-dark(#6a6560,#a09a92);
--paper:light-dark(#fbfaf8,#171615);--panel:light-dark(#f2efea,#211f1d);--line:light-dark(#dfdad2,#3a3633);
--accent:light-dark(#a3431a,#f0a070)}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem 6rem;max-width:58rem;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,sans-serif}
h1{font-size:1.9rem;margin:0 0 .5rem}h2{font-size:1.25rem;margin:3rem 0 .75rem;scroll-margin-top:1rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
a{color:var(--accent)}p{margin:.5rem 0}
code,pre,.path{font:.875em/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:1rem;overflow-x:auto}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:1.5rem 0 0}
details{border-top:1px solid var(--line)}details:last-of-type{border-bottom:1px solid var(--line)}
summary{display:grid;grid-template-columns:4.2rem minmax(0,1fr);gap:0 .75rem;padding:.6rem 0;cursor:pointer;
list-style:none}
summary::-webkit-details-marker{display:none}
summary:hover .path{color:var(--accent)}
.method{font-weight:600;color:var(--soft);font-size:.8rem;letter-spacing:.04em;padding-top:.1rem}
.path{overflow-wrap:anywhere}.what{grid-column:2;color:var(--soft);font-size:.9rem}
.more{padding:0 0 1.25rem 4.95rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td{padding:.3rem .9rem .3rem 0;vertical-align:top;border-top:1px solid var(--line)}
td:first-child,td:nth-child(2){white-space:nowrap}td:nth-child(2){color:var(--soft)}
.schema{scroll-margin-top:1rem}
@media(max-width:36rem){.more{padding-left:0}td{display:block;border:0;padding:.1rem 0}
td:first-child{border-top:1px solid var(--line);padding-top:.4rem}}
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


async def openapi(request: Request) -> Response:
    """GET /openapi.json: this API as OpenAPI 3.1."""
    return reply(_document(request))


async def page(request: Request) -> Response:
    """GET /docs: this API on one page, without scripts."""
    return HTMLResponse(render(_document(request)), headers={"Content-Security-Policy": POLICY})


def _document(request: Request) -> dict[str, Any]:
    return document(cast(Sequence[Route], request.app.state.routes), services_of(request).links.public_url)


def render(api: dict[str, Any]) -> str:
    """The page for a document. What differs from another operation by its prefix only is shown once."""
    sections: dict[str, list[str]] = {tag["name"]: [] for tag in api["tags"]}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            if not operation["operationId"].startswith(ALIASES):
                sections[operation["tags"][0]].append(_operation(method, path, operation))
    sections = {name: rows for name, rows in sections.items() if rows}
    links = "".join(f"<a href='#{_anchor(name)}'>{escape(name)}</a>" for name in [*sections, "Objects"])
    body = "".join(f"<h2 id={_anchor(name)}>{escape(name)}</h2>{''.join(rows)}" for name, rows in sections.items())
    schemas = "".join(_schema(name, schema) for name, schema in api["components"]["schemas"].items())
    server = escape(api["servers"][0]["url"])
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>rushes API</title><style>{STYLE}</style><h1>rushes API</h1><p>{escape(api['info']['description'])}</p>"
        "<p>Send <code>Authorization: Bearer YOUR_KEY</code>. The paths below"
        " <code>/api/v1/ie/requestqueue/apikey</code> are served below <code>/api/v1/apikey</code> and, for sessions,"
        " below <code>/api/v1/ie/requestqueue</code>, too. For machines: <a href=/openapi.json>/openapi.json</a>.</p>"
        f"<pre>curl {server}/api/v1/ie/requestqueue/apikey/requests \\\n"
        '  -H "Authorization: Bearer $GMI_API_KEY" -H "Content-Type: application/json" \\\n'
        '  -d \'{"model": "Veo3", "payload": {"prompt": "A quiet harbour at sunrise"}}\'</pre>'
        f"<nav>{links}</nav>{body}<h2 id=objects>Objects</h2>{schemas}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (each["name"], f"{each['in']}, {_kind(each['schema'])}", each["schema"].get("description", ""))
        for each in operation["parameters"]
    ]
    parts = [_table(rows)] if rows else []
    if "requestBody" in operation:
        media, content = next(iter(operation["requestBody"]["content"].items()))
        parts.append(f"<h3>Body</h3><p><code>{escape(media)}</code> {_kind_link(content['schema'])}</p>")
    answers = [(status, _content(told), told["description"]) for status, told in operation["responses"].items()]
    parts.append(f"<h3>Answers</h3>{_table(answers, markup=True)}")
    return (
        f"<details><summary><span class=method>{method.upper()}</span><span class=path>{escape(path)}</span>"
        f"<span class=what>{escape(operation['summary'])}</span></summary>"
        f"<div class=more>{''.join(parts)}</div></details>"
    )


def _content(answer: dict[str, Any]) -> str:
    content = answer.get("content", {})
    return ", ".join(_kind_link(each["schema"]) if each.get("schema") else escape(m) for m, each in content.items())


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    fields = schema.get("properties", {})
    rows = [
        (
            f"<code>{escape(field)}</code>",
            _kind_link(told) + ("" if field in required else ", optional"),
            escape(str(told.get("description", ""))),
        )
        for field, told in fields.items()
    ]
    inside = "".join(f"<tr><td>{a}<td>{b}<td>{c}" for a, b, c in rows)
    inside = f"<table>{inside}</table>" if rows else f"<p>{_kind_link(schema)}</p>"
    return f"<h3 class=schema id=schema-{name}>{escape(name)}</h3>{inside}"


def _table(rows: list[tuple[str, str, str]], *, markup: bool = False) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(a)}</code><td>{b if markup else escape(b)}<td>{escape(c)}" for a, b, c in rows
    )
    return f"<table>{cells}</table>"


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    return " or ".join(cast(list[str], kind)) if isinstance(kind, list) else str(kind)


def _kind_link(schema: dict[str, Any]) -> str:
    """The same as markup; names of objects lead to them."""
    named = set(re.findall(r"#/components/schemas/(\w+)", str(schema)))
    text = escape(_kind(schema))
    for name in named:
        text = re.sub(rf"\b{name}\b", f"<a href='#schema-{name}'>{name}</a>", text)
    return text


def _anchor(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower())
