"""A configured server, as the engines that call one see it.

It alone gets the key and may lie at a private address. Its answers are hostile all the same: bounded, read with care,
and a link in one leads no further than a customer's link would.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import orjson

from rushes.egress import Egress, EgressFailed, EgressRefused, EgressSettings
from rushes.engines.engine import EngineLost, InvalidInput, Unsupported
from rushes.engines.options import KeyMissing, RemoteOptions, Setup

MAX_ANSWER = 4 << 20
MAX_VIDEO = 2 << 30
CALL_SECONDS = 60.0
DOWNLOAD_SECONDS = 900.0
MAX_SAID = 300
"""Characters of a server's own words that are passed on."""


class Unreached(EngineLost):
    """The server could not be called, or its answer did not arrive. `sent`: it may have acted on the call."""

    def __init__(self, text: str, *, sent: bool) -> None:
        super().__init__(text)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers by lower-case name, its JSON object (empty if it is something else)."""

    status: int
    headers: Mapping[str, str]
    data: Mapping[str, Any]
    text: str

    @property
    def retry_after(self) -> float | None:
        """The seconds of a Retry-After header, if there is a sane one."""
        said = self.headers.get("retry-after", "").strip()
        return min(float(said), 3600.0) if said.isdigit() and len(said) < 7 else None

    def words(self) -> str:
        """What the server says of its refusal, bounded and on one line; empty if nothing."""
        for key in ("error", "message", "detail", "reason", "error_message"):
            value = self.data.get(key)
            if isinstance(value, Mapping):
                value = cast(Mapping[str, Any], value).get("message")
            if isinstance(value, str) and value.strip():
                return one_line(value)
        return one_line(self.text) if not self.data else ""


class Server:
    """Calls to the base URL of a table, and downloads of what its answers link to."""

    def __init__(self, setup: Setup, options: RemoteOptions) -> None:
        self._base = options.base_url
        self._options = options
        parts = urlsplit(options.base_url)
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        anywhere = (ip_network("0.0.0.0/0"), ip_network("::/0"))
        self._trusted = Egress(
            EgressSettings((self._port,), anywhere, silence_seconds=CALL_SECONDS, total_seconds=DOWNLOAD_SECONDS)
        )
        asked = setup.egress
        self._strangers = Egress(EgressSettings(asked.ports, asked.allow_private, total_seconds=DOWNLOAD_SECONDS))

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = CALL_SECONDS,
    ) -> Reply:
        """Make one call with the key. Any HTTP status is an answer. Raises Unreached, Unsupported."""
        try:
            answer = await self._trusted.call(
                method,
                self._base + path,
                headers={**self._key(), **(headers or {})},
                body=body,
                max_bytes=MAX_ANSWER,
                timeout=timeout,
            )
        except EgressRefused as error:
            raise Unsupported(f"The configured server cannot be called: {error}") from error
        except EgressFailed as error:
            raise Unreached(f"The configured server did not answer: {error}", sent=error.reached) from error
        return Reply(answer.status, answer.headers, _object(answer.body), answer.body[:2048].decode(errors="replace"))

    async def post_json(
        self, path: str, value: Mapping[str, Any], *, headers: Mapping[str, str] | None = None, timeout: float
    ) -> Reply:
        """POST a JSON object. Raises Unreached, Unsupported."""
        body = orjson.dumps(dict(value))
        kind = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        return await self.call("POST", path, body=body, headers={**kind, **(headers or {})}, timeout=timeout)

    async def put(self, url: str, body: AsyncIterator[bytes], length: int, content_type: str) -> int:
        """PUT to a link that the server gave out, without the key; the status. Raises Unreached, EngineLost."""
        headers = {"Content-Type": content_type, "Content-Length": str(length)}
        try:
            egress = self._trusted if self._is_own(url) else self._strangers
            answer = await egress.call(
                "PUT", url, headers=headers, body=body, max_bytes=MAX_ANSWER, timeout=DOWNLOAD_SECONDS
            )
        except EgressRefused as error:
            raise EngineLost(f"The upload link of the configured server is refused: {error}") from error
        except EgressFailed as error:
            raise Unreached(f"The upload to the configured server failed: {error}", sent=error.reached) from error
        return answer.status

    async def content(self, path: str, to: Path) -> None:
        """Download from a documented path, with the key. Raises EngineLost."""
        await self._fetched(self._base + path, to, self._key())

    async def download(self, link: str, to: Path) -> None:
        """Download what an answer links to, without the key. Raises EngineLost."""
        await self._fetched(urljoin(self._base + "/", link), to, {})

    async def _fetched(self, url: str, to: Path, headers: Mapping[str, str]) -> None:
        try:
            if self._is_own(url):
                await self._trusted.fetch(url, max_bytes=MAX_VIDEO, to=to, headers=headers, beyond=self._strangers)
            else:
                await self._strangers.fetch(url, max_bytes=MAX_VIDEO, to=to)
        except (EgressRefused, EgressFailed) as error:
            raise EngineLost(f"The video could not be fetched from the configured server: {error}") from error

    def _is_own(self, url: str) -> bool:
        """Whether a link leads to the configured server itself."""
        base, parts = urlsplit(self._base), urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return False
        return (parts.scheme, parts.hostname, port) == (base.scheme, base.hostname, self._port)

    def _key(self) -> dict[str, str]:
        try:
            key = self._options.key()
        except KeyMissing as error:
            raise Unsupported(f"The key of the configured server is missing: {error}") from error
        return {"Authorization": f"Bearer {key}"} if key else {}


def refused(reply: Reply, doing: str) -> InvalidInput | EngineLost | Unsupported:
    """What an HTTP error means where the server has no rules of its own for it."""
    said = reply.words()
    text = f"The server refused {doing} with {reply.status}{f': {said}' if said else ''}"
    if reply.status in (401, 403, 404, 405):
        return Unsupported(text)
    return InvalidInput(text) if reply.status in (400, 413, 415, 422) else EngineLost(text)


def objects(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects of a list in an answer; an empty list for anything else."""
    found: Any = data.get(key)
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("dict[str, Any]", item) for item in listed if isinstance(item, dict)]


def one_line(text: str) -> str:
    """A server's words as we pass them on: one line, printable, bounded."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * MAX_SAID]).split())[:MAX_SAID]


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
