"""The guarded client; what it guards against is said in __init__.py."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import BinaryIO, cast

import httpcore2
import httpx2

from rushes.egress.addresses import Network, is_refused
from rushes.egress.answers import Answered, EgressFailed, EgressRefused, Fetched, Posted

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""A host name and a port to numeric addresses, as the operating system would answer. Raises OSError."""

MAX_URL = 4096
MAX_HOST = 253
CHUNK = 1 << 18
EXCERPT = 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_AUTHORITY = re.compile(r"^[a-z]+://([^/?#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EgressSettings:
    """What may be called. `allow_private` names networks that are let through although they are special."""

    ports: tuple[int, ...] = (80, 443)
    allow_private: tuple[Network, ...] = ()
    connect_seconds: float = 5
    silence_seconds: float = 10
    """Between two pieces of an answer."""
    total_seconds: float = 60

    @classmethod
    def of(cls, ports: Iterable[int], allow_private: Iterable[str]) -> EgressSettings:
        """From settings as people write them. Raises ValueError for what is not a network such as 10.0.0.0/8."""
        return cls(tuple(ports), tuple(ip_network(text) for text in allow_private))


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What getaddrinfo answers, duplicates removed, order kept."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Egress:
    """The guarded client. Safe to share: every call opens and closes its own connection."""

    def __init__(self, settings: EgressSettings, resolve: Resolver = system_resolver) -> None:
        self.settings = settings
        self._resolve = resolve
        self._tls = httpcore2.default_ssl_context()

    def check_url(self, url: str) -> None:
        """The rules that need no network, for the moment of submit. Raises EgressRefused with one sentence.

        A URL that passes may still be refused when it is called, once its name has been resolved.
        """
        self._parsed(url)

    async def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        to: Path,
        redirects: int = 3,
        headers: Mapping[str, str] | None = None,
        beyond: Egress | None = None,
    ) -> Fetched:
        """Download to the file `to`, which is there only if all of it has arrived.

        Follows up to `redirects` redirects, each judged like the first; `headers` go to the first alone, and `beyond`
        is who follows redirects where another client has to. Raises EgressRefused, EgressFailed, OSError
        when the disk refuses.
        """
        async with self._in_time(self.settings.total_seconds, url):
            for _ in range(redirects + 1):
                async with self._answer("GET", url, headers or {}, None) as answer:
                    if answer.status not in _REDIRECTS:
                        return await _receive(answer, url, max_bytes, to)
                    url, headers = self._next(url, answer), None
                if beyond is not None:
                    return await beyond.fetch(url, max_bytes=max_bytes, to=to, redirects=redirects - 1)
        raise EgressFailed(f"There are more than {redirects} redirects", retryable=False)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Posted:
        """Send `body` exactly as it is, follow no redirect, and read no more than the start of the answer.

        Any HTTP status is an answer. `timeout` is for everything together, in seconds. Raises EgressRefused,
        EgressFailed.
        """
        async with self._in_time(timeout, url), self._answer("POST", url, headers, body) as answer:
            excerpt = b""
            async for piece in answer.aiter_stream():
                excerpt += piece[: EXCERPT - len(excerpt)]
                if len(excerpt) >= EXCERPT:
                    break
            return Posted(answer.status, excerpt)

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None = None,
        max_bytes: int,
        timeout: float,
    ) -> Answered:
        """Make one call and read its whole answer, of at most `max_bytes`. Any HTTP status is an answer.

        No redirect is followed. `timeout` is for everything together, in seconds. Raises EgressRefused, EgressFailed.
        """
        async with self._in_time(timeout, url), self._answer(method, url, headers, body) as answer:
            received = bytearray()
            async for piece in answer.aiter_stream():
                received += piece
                if len(received) > max_bytes:
                    raise EgressFailed(f"The answer is larger than {max_bytes:,} bytes", retryable=False)
            named = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in answer.headers}
            return Answered(answer.status, named, bytes(received))

    def _parsed(self, url: str) -> httpx2.URL:
        if len(url) > MAX_URL:
            raise EgressRefused(f"A URL may have up to {MAX_URL} characters")
        if "\\" in url or any(character.isspace() or not character.isprintable() for character in url):
            raise EgressRefused("A URL must not contain spaces, backslashes or control characters")
        authority = _AUTHORITY.match(url)
        if not authority or not url.lower().startswith(("http://", "https://")):
            raise EgressRefused("The URL must begin with http:// or https://")
        if "@" in authority[1]:
            raise EgressRefused("The URL must not contain a user name or password")
        try:
            parsed = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise EgressRefused("This is not a valid URL") from error
        self._check_target(parsed)
        return parsed

    def _check_target(self, url: httpx2.URL) -> None:
        host = url.raw_host.decode("ascii")
        if not host or len(host) > MAX_HOST or "%" in host:
            raise EgressRefused("The URL must name a host, of up to 253 characters and without %")
        if _port(url) not in self.settings.ports:
            allowed = " or ".join(str(port) for port in self.settings.ports)
            raise EgressRefused(f"Port {_port(url)} is not allowed, use {allowed}")
        if re.fullmatch(r"[0-9.]+|.*:.*", host) and is_refused(host, self.settings.allow_private):
            raise _refused_address()

    def _next(self, url: str, answer: httpcore2.Response) -> str:
        place = _header(answer, b"location")
        if not place:
            raise EgressFailed("The redirect names no address", retryable=False)
        try:
            return str(httpx2.URL(url).join(place))
        except httpx2.InvalidURL as error:
            raise EgressRefused("The redirect names no valid URL") from error

    @asynccontextmanager
    async def _in_time(self, seconds: float, url: str) -> AsyncGenerator[None]:
        """Turns what goes wrong below into EgressFailed, and ends everything after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise EgressFailed(f"It took longer than {seconds:g} s", retryable=True) from error
        except (httpcore2.ConnectTimeout, httpcore2.ConnectError) as error:
            raise EgressFailed(
                "No connection could be made to the host in the URL", retryable=True, reached=False
            ) from error
        except httpcore2.TimeoutException as error:
            raise EgressFailed(f"Nothing was sent for {self.settings.silence_seconds:g} s", retryable=True) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise EgressFailed("The connection broke off, or the answer is not HTTP", retryable=True) from error

    @asynccontextmanager
    async def _answer(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes] | None
    ) -> AsyncGenerator[httpcore2.Response]:
        parsed = self._parsed(url)
        sent = [
            ("Host", parsed.netloc.decode("ascii")),
            ("User-Agent", "rushes"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
            *headers.items(),
        ]
        target = httpcore2.URL(
            scheme=parsed.raw_scheme, host=parsed.raw_host, port=_port(parsed), target=parsed.raw_path
        )
        silence = self.settings.silence_seconds
        waits = {"connect": self.settings.connect_seconds, "read": silence, "write": silence, "pool": silence}
        guard = _Guard(self._resolve, self.settings.allow_private)
        async with (
            httpcore2.AsyncConnectionPool(ssl_context=self._tls, network_backend=guard) as pool,
            pool.stream(method, target, headers=sent, content=body, extensions={"timeout": waits}) as answer,
        ):
            yield answer


class _Guard(httpcore2.AsyncNetworkBackend):
    """Opens connections to judged addresses only: resolves once, refuses if any answer is bad, dials that answer."""

    def __init__(self, resolve: Resolver, allowed: Sequence[Network]) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._dial = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout("resolving took too long") from error
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("the name does not resolve") from error
        if any(is_refused(address, self._allowed) for address in addresses):
            raise _refused_address()
        failure = httpcore2.ConnectError("the name has no address")
        for address in addresses[:3]:
            try:
                return await self._dial.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise _refused_address()


def _refused_address() -> EgressRefused:
    # One text for all of them, or the answers would map somebody's inner network.
    return EgressRefused("The URL leads to an address that is not allowed")


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _header(answer: httpcore2.Response, name: bytes) -> str:
    return next((value.decode("latin-1").strip() for key, value in answer.headers if key.lower() == name), "")


async def _receive(answer: httpcore2.Response, url: str, max_bytes: int, to: Path) -> Fetched:
    if answer.status != 200:
        raise EgressFailed(f"The host answered {answer.status}, not 200", retryable=answer.status in _TRY_AGAIN)
    if _header(answer, b"content-encoding").lower() not in ("", "identity"):
        raise EgressFailed("The answer is compressed, although none was asked for", retryable=False)
    length = _header(answer, b"content-length")
    if length.isdigit() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    digest = hashlib.sha256()
    file = await asyncio.to_thread(to.open, "wb")
    try:
        size = await _copy(answer, max_bytes, file, digest.update)
        await asyncio.to_thread(file.close)
    except BaseException:
        await asyncio.to_thread(_discard, file, to)
        raise
    return Fetched(size, digest.hexdigest(), _header(answer, b"content-type"), url)


async def _copy(answer: httpcore2.Response, max_bytes: int, file: BinaryIO, digest: Callable[[bytes], None]) -> int:
    """The body as it comes, in pieces large enough for a thread to be worth it. Returns the number of bytes."""
    size = 0
    held = bytearray()

    def write(piece: bytes) -> None:
        file.write(piece)
        digest(piece)

    async for piece in answer.aiter_stream():
        size += len(piece)
        if size > max_bytes:
            raise _too_large(max_bytes)
        held += piece
        if len(held) >= CHUNK:
            await asyncio.to_thread(write, bytes(held))
            held.clear()
    await asyncio.to_thread(write, bytes(held))
    return size


def _discard(file: BinaryIO, path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)


def _too_large(max_bytes: int) -> EgressFailed:
    return EgressFailed(f"The file is larger than {max_bytes:,} bytes", retryable=False)
