"""Slow clients, over real sockets: ended in time, while others are served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from rushes.api.pace import BODY_RATE, BODY_SECONDS, TimelyProtocol, paced
from rushes.domain.errors import ApiError
from starlette.types import Message, Receive, Scope, Send

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"


class Hasty(TimelyProtocol):
    head_seconds = 0.5
    write_seconds = 0.5


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, or under /much with more than any socket holds."""
    if scope["type"] == "http":
        body = bytes(50_000_000 if scope["path"] == "/much" else 2)
        length = str(len(body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", http=Hasty, timeout_keep_alive=60)
    server = uvicorn.Server(config)
    with server.capture_signals():
        serving = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await serving


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection, by a close or a reset."""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(60):
            while await reader.read(65536):
                pass
    return True


async def answered(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"\r\n")
    line = await reader.readline()
    writer.close()
    return line == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("said", [[b""], [b"G"], [HEAD], [HEAD + b"\r\n", b"G"]])
async def test_slow_clients_are_ended_and_others_are_served(port: int, said: list[bytes]) -> None:
    """Two hundred that say nothing, too little, or too little of their second call."""
    slow: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for _ in range(200):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said[0])
        if len(said) > 1:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said[1])
        slow.append((reader, writer))
    assert await answered(port)
    assert all(await asyncio.gather(*(ended(reader) for reader, _ in slow)))
    assert await answered(port)
    for _, writer in slow:
        writer.close()


async def test_a_client_that_does_not_read_is_ended(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(b"GET /much HTTP/1.1\r\nHost: here\r\n\r\n")
    await reader.readline()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    lost = asyncio.get_running_loop().create_future()
    # The kernel tells of the reset only when something is written.
    async with asyncio.timeout(60):
        while not lost.done():
            try:
                writer.write(b"x")
                await writer.drain()
            except ConnectionError:
                lost.set_result(None)
            await asyncio.sleep(0.02)
    writer.close()


async def test_who_is_quick_enough_between_calls_keeps_the_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(HEAD + b"\r\n")
        async with asyncio.timeout(60):
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
        await asyncio.sleep(Hasty.head_seconds * 1.5)  # idle, not slow: nothing of a further call has come
    writer.close()


async def test_a_body_that_keeps_its_rate_may_take_long() -> None:
    now = [0.0]

    async def receive() -> Message:
        now[0] += 9.0
        return {"type": "http.request", "body": bytes(9 * BODY_RATE), "more_body": now[0] < 300}

    receiving = paced(receive, lambda: now[0])
    while (await receiving())["more_body"]:
        pass
    assert now[0] >= 300


async def test_a_body_that_trickles_is_ended_although_it_never_falls_silent() -> None:
    now = [0.0]

    async def receive() -> Message:
        now[0] += 1.0
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": True}

    receiving = paced(receive, lambda: now[0])
    with pytest.raises(ApiError) as refused:
        while True:
            await receiving()
    assert refused.value.row.status == 408
    assert now[0] <= BODY_SECONDS + 2


async def test_what_comes_after_the_body_is_not_timed() -> None:
    now = [0.0]

    async def receive() -> Message:
        return {"type": "http.disconnect"} if now[0] else {"type": "http.request", "body": b""}

    receiving = paced(receive, lambda: now[0])
    await receiving()
    now[0] = 1e6
    assert (await receiving())["type"] == "http.disconnect"
