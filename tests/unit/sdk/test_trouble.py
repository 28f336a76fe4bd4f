"""Servers that are down, silent, lying or talking nonsense: a typed error with one sentence, soon, without secrets."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gmicloud import AsyncClient, Client
from gmicloud._internal import _send
from gmicloud._internal._send import Collector
from gmicloud._internal._step import Answer, Call, Stream
from gmicloud.errors import (
    APIConnectionError,
    APITimeoutError,
    BadAnswerError,
    DownloadError,
    GmiError,
    ServerError,
    TLSError,
)

from tests.unit.sdk.conftest import KEY, MP4, PASSWORD, Reply, Wire

Start = Callable[[Callable[[socket.socket], None]], str]


def impatient(url: str) -> Client:
    return Client(api_key=KEY, base_url=url, timeout=0.2, max_retries=0)


def refused_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def request_head(connection: socket.socket) -> None:
    while b"\r\n\r\n" not in connection.recv(65536):
        pass


def silent(done: threading.Event) -> Callable[[socket.socket], None]:
    """Take the request and say nothing until the test is done."""

    def listen(connection: socket.socket) -> None:
        request_head(connection)
        done.wait(60)

    return listen


def test_a_server_that_is_down_is_named(raw_server: Start) -> None:
    place = refused_port()
    with impatient(f"http://{place}") as client, pytest.raises(APIConnectionError, match="cannot be reached") as caught:
        client.video_manager.get_models()
    assert place in str(caught.value)
    assert not caught.value.sent


def test_a_name_that_does_not_exist_is_a_typed_error() -> None:
    with impatient("http://no-such-host.invalid") as client, pytest.raises(APIConnectionError, match="no-such-host"):
        client.video_manager.get_models()


def test_a_half_open_connection_ends_in_time(raw_server: Start) -> None:
    done = threading.Event()
    url = raw_server(silent(done))
    with impatient(url) as client, pytest.raises(APITimeoutError, match="silent for too long") as caught:
        client.video_manager.get_models()
    done.set()
    assert isinstance(caught.value, TimeoutError)


async def test_the_async_client_leaves_a_silent_server_too(raw_server: Start) -> None:
    done = threading.Event()
    url = raw_server(silent(done))
    async with AsyncClient(api_key=KEY, base_url=url, timeout=0.2, max_retries=0) as client:
        with pytest.raises(APITimeoutError, match="silent for too long"):
            await client.video_manager.get_models()
    done.set()


def test_a_server_that_drips_does_not_hold_the_caller(raw_server: Start) -> None:
    def drip(connection: socket.socket) -> None:
        request_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
        tick = threading.Event()
        try:
            while not tick.wait(0.05):
                connection.sendall(b" ")
        except OSError:
            return

    with impatient(raw_server(drip)) as client, pytest.raises(APITimeoutError, match="did not end in time"):
        client.video_manager.get_models()


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_send, "LARGEST_ANSWER", 1000)
    call = Call("GET", "https://host/x")
    body = Collector(call, 5)
    body.add(b"x" * 1000)
    assert body.answer(Stream(Answer(call, 200, {}), None, None)).content == b"x" * 1000
    with pytest.raises(BadAnswerError, match="larger than"):
        body.add(b"x")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"\x00\x01\x02\x03" * 100,
    ],
)
def test_what_is_no_http_is_a_typed_error(raw_server: Start, answer: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        request_head(connection)
        connection.sendall(answer)

    with impatient(raw_server(talk)) as client, pytest.raises(APIConnectionError, match="broke off or did not speak"):
        client.video_manager.get_models()


@pytest.mark.parametrize(
    "body", [b"<html>It works!</html>", b"", b"[]", b'"text"', b'{"models": 7}', b"{}", b"\xff\xfe"]
)
def test_an_answer_of_something_else_is_a_typed_error(wire: Wire, client: Client, body: bytes) -> None:
    wire.script("GET", "/models$", Reply(200, body, {"Content-Type": "text/html"}))
    with pytest.raises(BadAnswerError):
        client.video_manager.get_models()


def test_a_web_page_suggests_looking_at_base_url(wire: Wire, client: Client) -> None:
    wire.script("GET", "/models$", Reply(200, b"<html>", {"Content-Type": "text/html"}))
    with pytest.raises(BadAnswerError, match=r"text/html instead of JSON; is base_url right\?"):
        client.video_manager.get_models()


def test_a_redirect_never_carries_the_key_elsewhere(wire: Wire, client: Client) -> None:
    wire.script("GET", "/models$", Reply(302, b"", {"Location": f"{wire.url}/artifacts/video.mp4"}))
    with pytest.raises(BadAnswerError, match="redirect"):
        client.video_manager.get_models()
    assert len(wire.calls) == 1


def test_a_proxy_error_page_keeps_its_status(wire: Wire) -> None:
    wire.script("GET", "/models$", Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}))
    with impatient(wire.url) as client, pytest.raises(ServerError, match="502 Bad Gateway"):
        client.video_manager.get_models()


@pytest.fixture
def tls_server(tmp_path: Path, raw_server: Start) -> str:
    """A server whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def talk(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True):
                pass
        except OSError:
            return

    return raw_server(talk).replace("http://127.0.0.1", "https://localhost")


def test_an_untrusted_certificate_is_explained_and_not_retried(tls_server: str) -> None:
    with Client(api_key=KEY, base_url=tls_server) as client, pytest.raises(TLSError, match="not trusted") as caught:
        client.video_manager.get_models()
    assert not caught.value.retryable


def test_https_to_a_plain_server_is_explained(wire: Wire) -> None:
    url = wire.url.replace("http:", "https:")
    with Client(api_key=KEY, base_url=url) as client, pytest.raises(TLSError, match="is it an https server"):
        client.video_manager.get_models()


def test_a_connection_lost_in_the_middle_of_a_video_is_taken_up_again(
    raw_server: Start, wire: Wire, client: Client, tmp_path: Path
) -> None:
    tries: list[int] = []

    def talk(connection: socket.socket) -> None:
        request_head(connection)
        tries.append(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(MP4))
        connection.sendall(MP4 if len(tries) > 1 else MP4[:1000])

    saved = client.download(f"{raw_server(talk)}/video.mp4", tmp_path / "v.mp4")
    assert saved.read_bytes() == MP4
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_a_typed_error(wire: Wire, client: Client) -> None:
    with pytest.raises(DownloadError):
        client.download(wire.plan("r", "success"), Path("/proc/video.mp4"))


def everything_about(error: BaseException) -> str:
    """All an exception shows: its text, its fields and its whole traceback."""
    return f"{error!r} {vars(error)!r} {''.join(traceback.format_exception(error))}"


SECRETS = (KEY, PASSWORD, "access-token-1", "refresh-token-1")
MISCHIEF: list[dict[str, Any]] = [
    {"error": f"the key {KEY} and the token access-token-1 are bad", "code": KEY},
    {"message": f"refresh-token-1 {PASSWORD}"},
]


@pytest.mark.parametrize("body", MISCHIEF)
@pytest.mark.parametrize("login", [{"api_key": KEY}, {"email": "a@b.c", "password": PASSWORD}])
def test_secrets_that_a_server_repeats_are_taken_out(
    wire: Wire, login: dict[str, str], body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(**login, base_url=wire.url, max_retries=0) as client:  # type: ignore[arg-type]
        client.video_manager.get_models()
        wire.script("GET", "/models$", Reply(500, body))
        with pytest.raises(GmiError) as caught:
            client.video_manager.get_models()
        shown = everything_about(caught.value) + repr(client) + caplog.text
    assert not [secret for secret in login.values() if secret in shown.replace("a@b.c", "")]
    if "password" in login:
        assert not [secret for secret in SECRETS[1:] if secret in shown]


def test_a_dead_server_shows_no_secret_in_the_traceback() -> None:
    with impatient(f"http://{refused_port()}") as client, pytest.raises(APIConnectionError) as caught:
        client.submit("wan2.7-i2v", prompt="x")
    assert KEY not in everything_about(caught.value)
    assert caught.value.__suppress_context__


def test_a_client_of_ones_own_is_used_and_left_open(wire: Wire) -> None:
    with httpx2.Client(headers={"X-Mine": "1"}) as own:
        with Client(api_key=KEY, base_url=wire.url, http_client=own) as client:
            client.video_manager.get_models()
            client.upload(b"\x89PNG\r\n\x1a\n")
        assert not own.is_closed
    assert {call.headers.get("x-mine") for call in wire.calls} == {"1"}


@pytest.mark.parametrize(
    "link", ["http://[bad", "http://", "https://ho st/x", "http://user:hunter22@127.0.0.1:9/x?sig=1"]
)
def test_a_link_that_leads_nowhere_is_a_typed_error_without_its_secrets(wire: Wire, tmp_path: Path, link: str) -> None:
    wire.plan("r", "success", outcome={"video_url": link})
    with Client(api_key=KEY, base_url=wire.url, max_retries=0) as client, pytest.raises(GmiError) as caught:
        client.download("r", tmp_path / "v.mp4")
    assert "hunter22" not in str(caught.value)
    assert "sig" not in str(caught.value)
