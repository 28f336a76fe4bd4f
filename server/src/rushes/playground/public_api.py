"""The public JSON API, called inside this process with the visitor's cookie: a page knows what a program could know."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

import orjson
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope

SESSION = "/api/v1/ie/requestqueue"
"""The prefix for sessions, under which the pages call."""
_FORWARDED = (b"cookie", b"host", b"user-agent", b"x-forwarded-for", b"x-forwarded-proto")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return orjson.loads(self.body) if self.body else None


class Refused(Exception):
    """The API did not do it. The fields are those of its error body (WIRE.md 2.9)."""

    def __init__(self, answer: Answer) -> None:
        try:
            told = answer.value
        except ValueError:
            told = None
        body = cast(dict[str, Any], told) if isinstance(told, dict) else {}
        self.status = answer.status
        self.code = str(body.get("code") or "internal")
        self.text = str(body.get("error") or "The server could not answer")
        self.retryable = body.get("retryable") is True
        self.param = cast("str | None", body.get("param"))
        self.detail = cast(dict[str, Any], body.get("detail") or {})
        self.retry_after = answer.headers.get("retry-after")
        self.call_id = answer.headers.get("rushes-call-id", "")
        super().__init__(self.text)


class PublicApi:
    """The API as one visitor may use it."""

    def __init__(self, app: ASGIApp, visit: Request) -> None:
        self._app = app
        self._visit = visit

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON answer to a GET below the session prefix. Raises Refused."""
        return (await self.call("GET", SESSION + path, query=query)).value

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        """The JSON answer to a POST below the session prefix. Raises Refused."""
        return (await self.call("POST", SESSION + path, body=orjson.dumps(body), headers=headers)).value

    async def delete(self, path: str, **query: Any) -> Any:
        """The JSON answer to a DELETE below the session prefix. Raises Refused."""
        return (await self.call("DELETE", SESSION + path, query=query)).value

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | AsyncIterator[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any answer below 400; `query` leaves out None. Raises Refused for the others."""
        sent = [(name, value) for name, value in self._visit.scope["headers"] if name in _FORWARDED]
        # The caller has been judged by accounts/same_origin.py, or only reads: from here on this is our own page.
        sent += [(b"sec-fetch-site", b"same-origin"), (b"accept", b"application/json")]
        if body:
            sent.append((b"content-type", b"application/json"))
        for name, value in (headers or {}).items():
            low = name.lower().replace("_", "-").encode("latin-1")
            sent = [pair for pair in sent if pair[0] != low] + [(low, value.encode("latin-1"))]
        given = [(name, value) for name, value in (query or {}).items() if value is not None]
        scope: Scope = {
            **{name: self._visit.scope.get(name) for name in ("scheme", "server", "client", "http_version")},
            "type": "http",
            "asgi": {"version": "3.0"},
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": urlencode(given, doseq=True).encode(),
            "headers": sent,
        }
        answer = await _exchange(self._app, scope, body)
        if answer.status >= 400:
            raise Refused(answer)
        return answer


async def _exchange(app: ASGIApp, scope: Scope, body: bytes | AsyncIterator[bytes]) -> Answer:
    """One call of an ASGI application, its answer collected."""
    pieces = _once(body) if isinstance(body, bytes) else body
    collected: list[bytes] = []
    start: dict[str, Any] = {}

    async def receive() -> Message:
        piece = await anext(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            collected.append(message.get("body", b""))

    await app(scope, receive, send)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(collected))


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def pretty(value: Any) -> str:
    """JSON for people: indented, letters of every language as they are."""
    return json.dumps(value, indent=2, ensure_ascii=False)
