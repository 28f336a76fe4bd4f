"""The same call as curl, Python, asynchronous Python and JavaScript. static/elements/code.js writes the same live."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from rushes.playground.public_api import pretty

QUEUE: Final = "/api/v1/ie/requestqueue/apikey"
PAYLOAD: Final = "\0payload\0"
"""Where the payload goes; it cannot be in any text of ours."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One program. `before` and `after` stand around the payload; `style` says how that is written."""

    name: str
    title: str
    before: str
    payload: str
    after: str
    style: str


def submit_samples(origin: str, model: str, payload: Mapping[str, Any]) -> list[Sample]:
    """Programs that submit a payload and fetch the video."""
    return [_sample(name, title, style, text, payload) for name, title, style, text in _submits(origin, model)]


def _sample(name: str, title: str, style: str, text: str, payload: Mapping[str, Any]) -> Sample:
    before, _, after = text.partition(PAYLOAD)
    return Sample(name, title, before, WRITERS[style](payload), after, style)


def _submits(origin: str, model: str) -> list[tuple[str, str, str, str]]:
    base, name = origin + QUEUE, json.dumps(model, ensure_ascii=False)
    client = f'api_key=os.environ["GMI_API_KEY"], base_url="{base}"'
    return [
        (
            "curl",
            "curl",
            "shell",
            f'curl "{base}/requests" \\\n  -H "Authorization: Bearer $GMI_API_KEY" \\\n'
            f'  -H "Content-Type: application/json" \\\n'
            f'  -d \'{{"model": {shell_text(name)}, "payload": {PAYLOAD}}}\'\n',
        ),
        (
            "python",
            "Python",
            "python",
            f"import os\n\nfrom gmicloud import Client\n\nwith Client({client}) as client:\n"
            f"    done = client.generate({name}, {PAYLOAD})\n"
            '    print(client.download(done, "film.mp4"))\n',
        ),
        (
            "async",
            "Async Python",
            "python_deeper",
            f"import asyncio\nimport os\n\nfrom gmicloud import AsyncClient\n\n\nasync def main() -> None:\n"
            f"    async with AsyncClient({client}) as client:\n"
            f"        done = await client.generate({name}, {PAYLOAD})\n"
            '        print(await client.download(done, "film.mp4"))\n\n\nasyncio.run(main())\n',
        ),
        (
            "js",
            "JavaScript",
            "json",
            f"const headers = {{\n  Authorization: `Bearer ${{process.env.GMI_API_KEY}}`,\n"
            '  "Content-Type": "application/json",\n};\n'
            f'const queue = "{base}";\n'
            f'const submitted = await fetch(`${{queue}}/requests`, {{\n  method: "POST",\n  headers,\n'
            f"  body: JSON.stringify({{ model: {name}, payload: {PAYLOAD} }}),\n}});\n"
            "let request = await submitted.json();\n"
            'while (!["success", "failed", "cancelled"].includes(request.status)) {\n'
            "  const address = `${queue}/requests/${request.request_id}?wait=30`;\n"
            "  request = await (await fetch(address, { headers })).json();\n}\n"
            "console.log(request.outcome.video_url ?? request.error);\n",
        ),
    ]


def get_samples(origin: str, path: str, python: str) -> list[Sample]:
    """Programs that read what a page shows: a GET of `path` below the queue's prefix, and Python for the same."""
    base = origin + QUEUE
    opening = 'import os\n\nfrom gmicloud import Client\n\nwith Client(api_key=os.environ["GMI_API_KEY"], '
    return [
        Sample("curl", "curl", f'curl "{base}{path}" \\\n  -H "Authorization: Bearer $GMI_API_KEY"\n', "", "", "json"),
        Sample("python", "Python", f'{opening}base_url="{base}") as client:\n    {python}\n', "", "", "json"),
    ]


def shell_text(text: str) -> str:
    """Text inside single quotes of a shell."""
    return text.replace("'", "'\\''")


def python_literal(value: Any, indent: int) -> str:
    """A JSON value as Python source, one line for each entry of an object."""
    if isinstance(value, dict):
        entries = cast(dict[str, Any], value)
        if not entries:
            return "{}"
        pad = " " * indent
        rows = [f"{pad}    {_text(key)}: {python_literal(each, indent + 4)},\n" for key, each in entries.items()]
        return "{\n" + "".join(rows) + pad + "}"
    if isinstance(value, list):
        return "[" + ", ".join(python_literal(each, indent) for each in cast(list[Any], value)) + "]"
    if value is None or isinstance(value, bool):
        return str(value)
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    # A JSON string is a Python string too, except for DEL and letters beyond the first plane written as pairs.
    return json.dumps(text, ensure_ascii=False)


WRITERS: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "shell": lambda payload: shell_text(pretty(payload)),
    "json": pretty,
    "python": lambda payload: python_literal(payload, 4),
    "python_deeper": lambda payload: python_literal(payload, 8),
}
"""How a payload is written, by the style of a sample."""
