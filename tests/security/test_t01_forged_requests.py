"""T1: no URL of a customer makes this server call an address it must not call."""

import asyncio
import datetime
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rushes.egress import Egress, EgressFailed, EgressRefused, EgressSettings

TEXT = "The URL leads to an address that is not allowed"

# Numeric in the eyes of getaddrinfo, so the real resolver answers them without asking anybody.
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127。0。0。1",
    "１２７.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "localhost",
    "169.254.169.254",
    "[fd00:ec2::254]",
]


def resolver(*answers: Sequence[str]) -> Any:
    """Names resolve to one answer after the other, as a rebinding name server does."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_an_inner_address_opens_a_socket(host: str, tmp_path: Path, dialled: list[Any]) -> None:
    egress = Egress(EgressSettings())
    with pytest.raises(EgressRefused, match=f"{TEXT}|not a valid URL"):
        await egress.fetch(f"http://{host}/", max_bytes=10, to=tmp_path / "file")
    with pytest.raises(EgressRefused, match=f"{TEXT}|not a valid URL"):
        await egress.post(f"http://{host}/", b"{}", {}, timeout=5)
    assert dialled == []
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("answers", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1", "fe80::1"], ["nonsense"]])
async def test_one_bad_answer_refuses_the_name(answers: list[str], tmp_path: Path, dialled: list[Any]) -> None:
    egress = Egress(EgressSettings(), resolver(answers))
    with pytest.raises(EgressRefused, match=TEXT):
        await egress.fetch("https://media.example/", max_bytes=10, to=tmp_path / "file")
    assert dialled == []


async def test_the_judged_address_is_dialled_and_the_name_is_not_resolved_again(
    serve: Any, answer: Any, tmp_path: Path, dialled: list[Any]
) -> None:
    site = await serve(answer(b"hello"))
    calls: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        calls.append(host)
        return ["127.0.0.1"] if len(calls) == 1 else ["127.0.0.2"]

    await site.egress(rebinding).fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert calls == ["media.example"]
    assert dialled == [("127.0.0.1", site.port)]
    assert f"Host: media.example:{site.port}".encode() in site.heads[0]


async def test_a_second_call_is_judged_anew(serve: Any, answer: Any, tmp_path: Path) -> None:
    site = await serve(answer(b"hello"))
    egress = site.egress(resolver(["127.0.0.1"], ["10.0.0.1"]))
    await egress.fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    with pytest.raises(EgressRefused, match=TEXT):
        await egress.fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert site.connections == 1


async def test_the_next_address_is_tried_when_the_first_does_not_answer(
    serve: Any, answer: Any, tmp_path: Path
) -> None:
    site = await serve(answer(b"hello"))
    egress = site.egress(resolver(["127.0.0.9", "127.0.0.1"]))
    assert (await egress.fetch(site.url(), max_bytes=10, to=tmp_path / "file")).bytes == 5


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("http://169.254.169.254/latest/meta-data/", TEXT),
        ("http://[::ffff:10.0.0.1]/", TEXT),
        ("//10.0.0.1/", TEXT),
        ("file:///etc/passwd", "must begin with http"),
        ("http://user@media.example/", "user name"),
        ("http://media.example:22/", "Port 22 is not allowed"),
        ("http://media.example:0x50/", "no valid URL"),
    ],
)
async def test_every_redirect_is_judged(serve: Any, answer: Any, tmp_path: Path, place: str, said: str) -> None:
    site = await serve(answer(status="302 Found", Location=place))
    egress = site.egress(ports=(site.port, 80))
    with pytest.raises(EgressRefused, match=said):
        await egress.fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert site.connections == 1


def redirecting(last: int) -> Any:
    async def handler(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = int(head.split()[1].rsplit(b"/", 1)[1])
        if number == last:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        else:
            writer.write(f"HTTP/1.1 307 Go\r\nLocation: ./{number + 1}\r\nContent-Length: 0\r\n\r\n".encode())

    return handler


async def test_three_redirects_are_followed(serve: Any, tmp_path: Path) -> None:
    site = await serve(redirecting(3))
    fetched = await site.egress().fetch(site.url("/hop/0"), max_bytes=10, to=tmp_path / "file")
    assert fetched.url == site.url("/hop/3")
    assert (tmp_path / "file").read_bytes() == b"done"


async def test_a_fourth_redirect_is_a_failure(serve: Any, tmp_path: Path) -> None:
    site = await serve(redirecting(4))
    with pytest.raises(EgressFailed, match="more than 3 redirects") as failure:
        await site.egress().fetch(site.url("/hop/0"), max_bytes=10, to=tmp_path / "file")
    assert not failure.value.retryable
    assert site.connections == 4


async def test_a_post_follows_no_redirect(serve: Any, answer: Any) -> None:
    site = await serve(answer(status="302 Found", Location="/elsewhere"))
    assert (await site.egress().post(site.url(), b"{}", {}, timeout=5)).status == 302
    assert site.connections == 1


async def test_proxies_of_the_environment_are_not_used(
    serve: Any, answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, proxy = await serve(answer(b"direct")), await serve(answer(b"proxy"))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    await site.egress().fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"direct"
    assert proxy.connections == 0


async def test_a_cookie_of_one_call_is_unknown_to_the_next(serve: Any, answer: Any, tmp_path: Path) -> None:
    site = await serve(answer(b"hello", Set_Cookie="id=1; Path=/"))
    egress = site.egress()
    for _ in range(2):
        await egress.fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert b"cookie" not in site.heads[1].lower()


async def test_a_name_that_does_not_resolve_is_a_failure_that_may_pass(tmp_path: Path) -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(EgressFailed, match="No connection") as failure:
        await Egress(EgressSettings(), unknown).fetch("http://media.example/", max_bytes=1, to=tmp_path / "file")
    assert failure.value.retryable


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for `name`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@pytest.mark.parametrize("host", ["media.example", "other.example"])
async def test_tls_is_for_the_name_although_an_address_is_dialled(
    serve: Any, answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    cert_file, key_file = certificate(tmp_path, "media.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, ctx: names.append(name)  # type: ignore[assignment,func-returns-value]
    site = await serve(answer(b"hello"), ssl=context)
    fetch = site.egress().fetch(site.url(host=host, scheme="https"), max_bytes=10, to=tmp_path / "file")
    if host == "media.example":
        await fetch
    else:
        with pytest.raises(EgressFailed, match="No connection"):
            await fetch
    assert names == [host]
