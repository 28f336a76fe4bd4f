"""T2: a server that is slow, silent, endless or lying costs a bounded time and a bounded number of bytes."""

import asyncio
import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from rushes.egress import Egress, EgressFailed, EgressSettings


async def _hang(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the client hangs up


async def _hang_midway(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await reader.read()


async def _drip(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)  # being slow is what this server is for


async def _endless(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def _informing(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await writer.drain()


@pytest.mark.parametrize("handler", [_hang, _hang_midway])
async def test_silence_ends_a_call(serve: Any, tmp_path: Path, handler: Any) -> None:
    site = await serve(handler)
    with pytest.raises(EgressFailed, match=r"Nothing was sent for 0.1 s") as failure:
        await site.egress(silence_seconds=0.1).fetch(site.url(), max_bytes=1000, to=tmp_path / "file")
    assert failure.value.retryable
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("handler", [_drip, _informing])
async def test_a_server_that_never_falls_silent_is_ended_by_the_total(serve: Any, tmp_path: Path, handler: Any) -> None:
    site = await serve(handler)
    with pytest.raises(EgressFailed, match=r"longer than 0.2 s") as failure:
        await site.egress(total_seconds=0.2).fetch(site.url(), max_bytes=1_000_000, to=tmp_path / "file")
    assert failure.value.retryable
    assert not (tmp_path / "file").exists()


async def test_a_name_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async def never(host: str, port: int) -> list[str]:
        return await asyncio.get_running_loop().create_future()

    egress = Egress(EgressSettings(connect_seconds=0.1), never)
    with pytest.raises(EgressFailed, match="No connection") as failure:
        await egress.fetch("http://media.example/", max_bytes=1, to=tmp_path / "file")
    assert failure.value.retryable


async def test_endless_chunks_stop_at_the_limit(serve: Any, tmp_path: Path) -> None:
    site = await serve(_endless)
    with pytest.raises(EgressFailed, match="larger than 1,000,000 bytes") as failure:
        await site.egress().fetch(site.url(), max_bytes=1_000_000, to=tmp_path / "file")
    assert not failure.value.retryable
    assert not (tmp_path / "file").exists()


async def test_a_length_above_the_limit_is_refused_before_the_body(serve: Any, tmp_path: Path) -> None:
    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n")
        await reader.read()

    site = await serve(handler)
    with pytest.raises(EgressFailed, match="larger than 10 bytes"):
        await site.egress().fetch(site.url(), max_bytes=10, to=tmp_path / "file")


@pytest.mark.parametrize("claimed", ["3", "5"])
async def test_a_file_of_exactly_the_limit_passes(serve: Any, answer: Any, tmp_path: Path, claimed: str) -> None:
    site = await serve(answer(b"12345", Content_Length=claimed, Content_Type="image/png"))
    fetched = await site.egress().fetch(site.url(), max_bytes=5, to=tmp_path / "file")
    assert fetched.bytes == int(claimed)  # a body longer than its length is cut there, as HTTP says
    assert fetched.content_type == "image/png"


async def test_a_body_shorter_than_its_length_is_a_failure(serve: Any, answer: Any, tmp_path: Path) -> None:
    site = await serve(answer(b"12345", Content_Length="50"))
    with pytest.raises(EgressFailed, match="broke off") as failure:
        await site.egress().fetch(site.url(), max_bytes=100, to=tmp_path / "file")
    assert failure.value.retryable
    assert not (tmp_path / "file").exists()


async def test_a_thousand_headers_do_no_harm_and_a_hundred_thousand_fail(serve: Any, tmp_path: Path) -> None:
    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = 1_000 if b"/few" in head else 100_000
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"X-Header: some value\r\n" * count + b"Content-Length: 2\r\n\r\nok")

    site = await serve(handler)
    assert (await site.egress().fetch(site.url("/few"), max_bytes=10, to=tmp_path / "file")).bytes == 2
    with pytest.raises(EgressFailed, match="not HTTP"):
        await site.egress().fetch(site.url("/many"), max_bytes=10, to=tmp_path / "file")


@pytest.mark.parametrize(("status", "retryable"), [("404 No", False), ("403 No", False), ("503 Busy", True)])
async def test_only_200_is_a_file(serve: Any, answer: Any, tmp_path: Path, status: str, retryable: bool) -> None:
    site = await serve(answer(b"sorry", status=status))
    with pytest.raises(EgressFailed, match=f"answered {status[:3]}, not 200") as failure:
        await site.egress().fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert failure.value.retryable is retryable


async def test_what_is_not_http_is_a_failure(serve: Any, tmp_path: Path) -> None:
    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example ESMTP\r\n\r\n")

    site = await serve(handler)
    with pytest.raises(EgressFailed, match="not HTTP"):
        await site.egress().fetch(site.url(), max_bytes=10, to=tmp_path / "file")


async def test_a_large_file_arrives_whole(serve: Any, answer: Any, tmp_path: Path) -> None:
    body = random.Random(1).randbytes(3_000_001)
    site = await serve(answer(body))
    fetched = await site.egress().fetch(site.url(), max_bytes=4_000_000, to=tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == body
    assert (fetched.bytes, fetched.sha256) == (len(body), hashlib.sha256(body).hexdigest())


async def test_a_post_sends_its_bytes_and_keeps_a_kilobyte_of_the_answer(serve: Any) -> None:
    got: list[bytes] = []

    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readexactly(7))
        await _endless(head, reader, writer)

    site = await serve(handler)
    posted = await site.egress().post(site.url(), b'{"a":1}', {"webhook-id": "evt_1"}, timeout=5)
    assert got == [b'{"a":1}']
    assert b"webhook-id: evt_1" in site.heads[0]
    assert (posted.status, posted.excerpt) == (200, b"x" * 1024)


async def test_a_post_to_a_silent_server_ends_in_time(serve: Any) -> None:
    site = await serve(_hang)
    with pytest.raises(EgressFailed, match=r"longer than 0.1 s"):
        await site.egress().post(site.url(), b"{}", {}, timeout=0.1)
