"""The two senders: they perform the steps of a flow, one by blocking, one by awaiting. Everything else is shared."""

from __future__ import annotations

import asyncio
import inspect
import ssl
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing
from functools import cache
from typing import Any, TypeVar

import httpx2

from gmicloud._internal._step import Alone, Answer, Call, Close, Emit, Flow, Open, Pause, Read, Step, Stream, Tell
from gmicloud.errors import APIConnectionError, APITimeoutError, BadAnswerError, TLSError

T = TypeVar("T")

LARGEST_ANSWER = 64 * 2**20
LARGEST_REFUSAL = 64 * 2**10


class Sender:
    """Performs steps by blocking. Safe to share between threads."""

    def __init__(self, client: httpx2.Client | None, timeout: float) -> None:
        self._given = client
        self._client = client
        self._timeout = timeout
        self._making = threading.Lock()
        self._alone = threading.RLock()

    def run(self, flow: Flow[T]) -> T:
        """The result of a flow."""
        for value in self._steps(flow, ended := list[T]()):
            raise AssertionError(f"a verb without a loop emitted {value!r}")
        return ended[0]

    def iterate(self, flow: Flow[None]) -> Generator[Any]:
        """What a flow emits."""
        yield from self._steps(flow, [])

    def close(self) -> None:
        """Close the connections, unless the client was given by the customer."""
        if self._client is not None and self._given is None:
            self._client.close()
            self._client = None

    def _connected(self) -> httpx2.Client:
        with self._making:
            if self._client is None:
                self._client = httpx2.Client(timeout=self._timeout, verify=trust())
                # The documented samples never close their client; its connections are closed with it all the same.
                weakref.finalize(self, self._client.close)
            return self._client

    def _steps(self, flow: Flow[T], ended: list[T]) -> Iterator[Any]:
        streams: set[Stream] = set()
        result: Any = None
        failure: Exception | None = None
        try:
            while True:
                try:
                    step = flow.throw(failure) if failure else flow.send(result)
                except StopIteration as end:
                    ended.append(end.value)
                    return
                result, failure = None, None
                if isinstance(step, Emit):
                    yield step.value
                    continue
                try:
                    result = self._perform(step, streams)
                except Exception as error:
                    failure = error
        finally:
            flow.close()
            for stream in streams:
                stream.response.close()

    def _perform(self, step: Step, streams: set[Stream]) -> Any:
        match step:
            case Call():
                return self._exchange(step)
            case Open():
                stream = self._open(step.call)
                streams.add(stream)
                return stream
            case Read():
                with failures(step.stream.answer.call):
                    return next(step.stream.chunks, None)
            case Close():
                streams.discard(step.stream)
                step.stream.response.close()
            case Pause():
                time.sleep(step.seconds)
            case Tell():
                return step.function(step.value)
            case Alone():
                with self._alone:
                    return self.run(step.flow)
            case Emit():
                raise AssertionError("emitted values are handed on by the loop")
        return None

    def _exchange(self, call: Call) -> Answer:
        stream = self._open(call)
        body = Collector(call, self._timeout)
        try:
            with failures(call):
                for data in stream.chunks:
                    body.add(data)
        finally:
            stream.response.close()
        return body.answer(stream)

    def _open(self, call: Call) -> Stream:
        client = self._connected()
        with failures(call):
            request = build(client, call, self._timeout)
            response = client.send(request, stream=True, follow_redirects=call.follow)
        return Stream(head(call, response), response.iter_bytes(), response)


class AsyncSender:
    """Performs steps by awaiting. Belongs to one event loop."""

    def __init__(self, client: httpx2.AsyncClient | None, timeout: float) -> None:
        self._given = client
        self._client = client
        self._timeout = timeout
        self._alone = asyncio.Lock()

    async def run(self, flow: Flow[T]) -> T:
        """The result of a flow."""
        ended = list[T]()
        async for value in self._steps(flow, ended):
            raise AssertionError(f"a verb without a loop emitted {value!r}")
        return ended[0]

    async def iterate(self, flow: Flow[None]) -> AsyncGenerator[Any]:
        """What a flow emits."""
        async with aclosing(self._steps(flow, [])) as values:  # a loop that is left gives its connection back at once
            async for value in values:
                yield value

    async def close(self) -> None:
        """Close the connections, unless the client was given by the customer."""
        if self._client is not None and self._given is None:
            await self._client.aclose()
            self._client = None

    async def _steps(self, flow: Flow[T], ended: list[T]) -> AsyncGenerator[Any]:
        streams: set[Stream] = set()
        result: Any = None
        failure: Exception | None = None
        try:
            while True:
                try:
                    step = flow.throw(failure) if failure else flow.send(result)
                except StopIteration as end:
                    ended.append(end.value)
                    return
                result, failure = None, None
                if isinstance(step, Emit):
                    yield step.value
                    continue
                try:
                    result = await self._perform(step, streams)
                except Exception as error:
                    failure = error
        finally:
            flow.close()
            for stream in streams:
                await stream.response.aclose()

    async def _perform(self, step: Step, streams: set[Stream]) -> Any:
        match step:
            case Call():
                return await self._exchange(step)
            case Open():
                stream = await self._open(step.call)
                streams.add(stream)
                return stream
            case Read():
                with failures(step.stream.answer.call):
                    return await anext(step.stream.chunks, None)
            case Close():
                streams.discard(step.stream)
                await step.stream.response.aclose()
            case Pause():
                await asyncio.sleep(step.seconds)
            case Tell():
                told = step.function(step.value)
                return await told if inspect.isawaitable(told) else told
            case Alone():
                async with self._alone:
                    return await self.run(step.flow)
            case Emit():
                raise AssertionError("emitted values are handed on by the loop")
        return None

    async def _exchange(self, call: Call) -> Answer:
        stream = await self._open(call)
        body = Collector(call, self._timeout)
        try:
            with failures(call):
                async for data in stream.chunks:
                    body.add(data)
        finally:
            await stream.response.aclose()
        return body.answer(stream)

    async def _open(self, call: Call) -> Stream:
        self._client = self._client or httpx2.AsyncClient(timeout=self._timeout, verify=trust())
        with failures(call):
            request = build(self._client, call, self._timeout)
            response = await self._client.send(request, stream=True, follow_redirects=call.follow)
        return Stream(head(call, response), response.aiter_bytes(), response)


class Collector:
    """Gathers a body within a size and a time, so a server that drips or floods cannot hold the caller."""

    def __init__(self, call: Call, timeout: float) -> None:
        self._call = call
        self._parts: list[bytes] = []
        self._size = 0
        self._until = time.monotonic() + timeout + call.patience

    def add(self, data: bytes) -> None:
        """Keep these bytes. Raises APITimeoutError or BadAnswerError when a limit is passed."""
        self._parts.append(data)
        self._size += len(data)
        if self._size > LARGEST_ANSWER:
            raise BadAnswerError(f"the answer to {self._call.place} is larger than {LARGEST_ANSWER >> 20} MiB")
        if time.monotonic() > self._until:
            raise APITimeoutError(f"the answer to {self._call.place} did not end in time")

    def answer(self, stream: Stream) -> Answer:
        """The complete answer."""
        first = stream.answer
        return Answer(first.call, first.status, first.headers, b"".join(self._parts))


@cache
def trust() -> ssl.SSLContext:
    """The certificates this machine trusts, read once: that takes longer than most calls."""
    return httpx2.create_ssl_context()


def build(client: httpx2.Client | httpx2.AsyncClient, call: Call, timeout: float) -> httpx2.Request:
    """The call as the HTTP library wants it."""
    limits = httpx2.Timeout(timeout, connect=min(timeout, 10.0), read=timeout + call.patience)
    extensions = {"timeout": limits.as_dict()}
    headers = {**call.headers, **(call.body.headers() if call.body else {})}
    request = client.build_request(call.method, call.url, headers=headers, json=call.json, extensions=extensions)
    if call.body is not None:
        request.stream = call.body
    return request


def head(call: Call, response: httpx2.Response) -> Answer:
    """Status and headers of an answer."""
    return Answer(call, response.status_code, {name.lower(): value for name, value in response.headers.items()})


class failures:
    """Turns the HTTP library's exceptions into ours, one clear sentence each."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError)):
            ours = explain(error, self._call)
            ours.request_id = self._call.request_id
            raise ours from None


def explain(error: Exception, call: Call) -> APIConnectionError | BadAnswerError:
    """What went wrong on the way, in words. The library's own text is left out where it could quote the call."""
    host = call.host
    chain = list(_causes(error))
    if any(isinstance(one, ssl.SSLError) for one in chain) or "CERTIFICATE_VERIFY" in str(error):
        return TLSError(f"no safe connection to {host}: {_tls_reason(chain)}")
    match error:
        case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return APITimeoutError(f"{host} could not be reached in time", sent=False)
        case httpx2.TimeoutException():
            return APITimeoutError(f"{host} was silent for too long ({call.place})")
        case httpx2.ConnectError():
            return APIConnectionError(f"{host} cannot be reached: {error}", sent=False)
        case httpx2.RemoteProtocolError() | httpx2.DecodingError():
            return APIConnectionError(f"{host} broke off or did not speak HTTP ({call.place})")
        case httpx2.TooManyRedirects() | httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return BadAnswerError(f"{call.place} leads nowhere: not a usable http or https address")
        case _:
            return APIConnectionError(f"the connection to {host} was lost ({call.place})")


def _tls_reason(chain: list[BaseException]) -> str:
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({one.verify_message})"
    return "the TLS handshake failed; is it an https server?"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
