"""A form of a model as a browser without scripts sends it: fields, and files that are uploaded on the way."""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from rushes.playground import forms
from rushes.playground.fault import Fault
from rushes.playground.page import Page
from rushes.playground.public_api import SESSION, Refused

MAX_BODY = 220 * 1024 * 1024
"""The largest video the API takes, and a form around it."""
MAX_TEXT = 12_000_000
MAX_TYPED = 1_000_000
MAX_ADDRESS = 6_000
"""Characters of a query that every server and proxy on the way takes."""
MARKED = "See the fields that are marked."
FILE = "f."
"""Before the name of the file field beside a media field."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form said. `payload` None is a form that nobody has filled in; `said` is the error above it."""

    payload: dict[str, Any] | None
    faults: Mapping[str, str]
    said: Fault | None = None
    status: int = 400
    key: str = ""


async def read_sent(page: Page, model: Mapping[str, Any]) -> Sent:
    """The payload of a sent form. A file that the API refuses is a fault beside its field."""
    blank = forms.fields_of(model)
    texts: dict[str, str] = {}
    refused: dict[str, str] = {}
    request = Request(page.request.scope, counted(page.request.receive))
    async with request.form(max_files=16, max_fields=200, max_part_size=MAX_TEXT) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                texts[name] = f"{texts[name]}\n{value}" if name in texts else value
            elif value.filename:
                parameter = name.removeprefix(FILE)
                try:
                    url = await uploaded(page, value)
                except Refused as error:
                    refused[parameter] = error.text
                else:
                    control = forms.PREFIX + parameter
                    texts[control] = f"{texts.get(control, '')} {url}".strip()
    payload, faults = forms.payload_of(blank, texts)
    faults |= refused
    said = replace(page.own_fault("invalid_payload"), advice=MARKED) if faults else None
    return Sent(payload, faults, said, key=texts.get("key") or secrets.token_urlsafe(24))


async def typed_again(page: Page) -> str:
    """The address of the form with the texts that were sent in it, as many as an address may hold; no files.

    For somebody whose session has ended: so nothing large is read, and nothing is stored.
    """
    path = page.request.url.path
    length = page.request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > MAX_TYPED:
        return path
    async with page.request.form(max_files=16, max_fields=200, max_part_size=MAX_TYPED) as form:
        texts = [(name, text) for name, text in form.multi_items() if isinstance(text, str) and text]
    query = ""
    for name, text in texts:
        longer = f"{query}&{urlencode({name: text})}" if query else urlencode({name: text})
        if name.startswith(forms.PREFIX) and len(quote(longer)) <= MAX_ADDRESS:
            query = longer
    return f"{path}?{query}" if query else path


async def uploaded(page: Page, file: UploadFile) -> str:
    """The address of a file, once the API has it. Raises Refused."""
    boundary = secrets.token_hex(16)
    name = "".join(c for c in file.filename or "file" if c.isprintable() and c not in '"\\') or "file"

    async def body() -> AsyncIterator[bytes]:
        yield (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        while piece := await file.read(1 << 16):
            yield piece
        yield f"\r\n--{boundary}--\r\n".encode()

    answer = await page.api.call(
        "POST", f"{SESSION}/files", body=body(), headers={"content-type": f"multipart/form-data; boundary={boundary}"}
    )
    return str(answer.value["public_url"])


def counted(receive: Receive) -> Receive:
    """Hands on a body up to MAX_BODY bytes; what is longer ends there, and the form reader says it is broken."""
    left = MAX_BODY

    async def counting() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return counting
