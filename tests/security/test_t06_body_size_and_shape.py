"""T6: walls before every parser, on both kinds of route, through the real server."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from gmicloud.local import LocalServer
from rushes.api.body import MAX_BODY

QUEUE = "/api/v1/ie/requestqueue/apikey"
ROUTES = [
    f"{QUEUE}/requests",
    "/api/v1/apikey/requests/bulk",
    "/video/Wan2_1",
    f"{QUEUE}/upload-url",
    "/api/v1/me/sessions",
]


@contextmanager
def connected(server: LocalServer) -> Iterator[socket.socket]:
    address = urlsplit(server.base_url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=60) as line:
        yield line


def head(server: LocalServer, path: str, *more: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {server.api_key}"]
    return "\r\n".join([*lines, "Content-Type: application/json", *more]).encode() + b"\r\n\r\n"


def answer(line: socket.socket) -> tuple[int, dict[str, object]]:
    """The status and JSON body of one answer."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = line.recv(65536)
        assert part, got
        got += part
    top, _, body = got.partition(b"\r\n\r\n")
    length = next(int(row[15:]) for row in top.split(b"\r\n") if row.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += line.recv(65536)
    return int(top.split()[1]), json.loads(body)


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_declared_too_large_is_refused_before_a_byte_of_it_was_sent(
    gmicloud_server: LocalServer, path: str
) -> None:
    with connected(gmicloud_server) as line:
        line.sendall(head(gmicloud_server, path, f"Content-Length: {MAX_BODY + 1}"))
        status, told = answer(line)
    assert (status, told["code"]) == (413, "body_too_large")
    assert "12 MB" in str(told["error"])
    assert "upload-url" in str(told["error"])


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_without_length_is_refused_as_soon_as_it_is_too_large(gmicloud_server: LocalServer, path: str) -> None:
    piece = b"100000\r\n" + b"[" * 0x100000 + b"\r\n"
    with connected(gmicloud_server) as line:
        line.sendall(head(gmicloud_server, path, "Transfer-Encoding: chunked"))
        for _ in range(MAX_BODY // 0x100000 + 1):
            line.sendall(piece)
        status, told = answer(line)  # the body has not ended and never will
    assert (status, told["code"]) == (413, "body_too_large")


def test_a_body_just_within_the_limit_is_read(gmicloud_server: LocalServer) -> None:
    body = json.dumps({"model": "rushes-test", "payload": {"prompt": "x" * (MAX_BODY - 100)}}).encode()
    with connected(gmicloud_server) as line:
        line.sendall(head(gmicloud_server, f"{QUEUE}/requests", f"Content-Length: {len(body)}") + body)
        status, told = answer(line)
    assert (status, told["code"], told["param"]) == (400, "invalid_payload", "prompt")


def test_more_than_64_headers_are_refused(gmicloud_server: LocalServer) -> None:
    for count, expected in ((50, 200), (100, 400)):
        with connected(gmicloud_server) as line:
            many = [f"X-Header-{n}: 1" for n in range(count)]
            line.sendall(head(gmicloud_server, f"{QUEUE}/models", *many, method="GET"))
            status, _ = answer(line)
        assert status == expected


def test_headers_without_end_are_not_collected(gmicloud_server: LocalServer) -> None:
    with connected(gmicloud_server) as line:
        line.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        with pytest.raises(OSError):  # the server hangs up somewhere in here
            for _ in range(64):
                line.sendall(b"x" * 65_536)
                if line.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK):
                    raise ConnectionResetError  # it has answered and will read no more
            pytest.fail("4 MB of one header were read")


def test_a_form_has_limits_too(gmicloud_server: LocalServer) -> None:
    edge = "edge"
    part = f'--{edge}\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
    large = f'--{edge}\r\nContent-Disposition: form-data; name="f"\r\n\r\n{"x" * 2_000_000}\r\n'
    for body in ((part * 10 + f"--{edge}--\r\n").encode(), (large + f"--{edge}--\r\n").encode()):
        with connected(gmicloud_server) as line:
            lines = head(gmicloud_server, f"{QUEUE}/files", f"Content-Length: {len(body)}")
            line.sendall(lines.replace(b"application/json", f"multipart/form-data; boundary={edge}".encode()) + body)
            status, told = answer(line)
        assert (status, told["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_only_json_is_read_as_json(gmicloud_server: LocalServer, kind: str) -> None:
    body = b'{"model":"rushes-test","payload":{"prompt":"x"}}'
    with connected(gmicloud_server) as line:
        lines = head(gmicloud_server, f"{QUEUE}/requests", f"Content-Length: {len(body)}")
        line.sendall(lines.replace(b"application/json", kind.encode()) + body)
        status, told = answer(line)
    assert (status, told["code"]) == (415, "unsupported_media_type")
