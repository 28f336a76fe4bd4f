"""The development certificate, judged by Python's own TLS over a real connection."""

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from rushes.platform.tls import Certificate, development_certificate
from rushes.store.platform_error import PlatformError


def name_seen_by_a_client(made: Certificate, name: str) -> str:
    """Shake hands over a socket pair as a client that trusts only the authority and expects `name`."""
    ours, theirs = socket.socketpair()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(made.cert, made.key)

    def answer() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as secured:
                secured.recv(1)
        except OSError:
            return  # the client refused us

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        client = ssl.create_default_context(cafile=str(made.ca))
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        with client.wrap_socket(ours, server_hostname=name) as secured:
            return str(secured.version())
    finally:
        ours.close()
        thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "studio.local", "192.0.2.7"])
def test_a_strict_client_that_trusts_the_authority_accepts_every_local_name(name: str, tmp_path: Path) -> None:
    made = development_certificate(tmp_path, ["studio.local", "192.0.2.7"])
    assert name_seen_by_a_client(made, name) == "TLSv1.3"


def test_other_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        name_seen_by_a_client(development_certificate(tmp_path), "example.org")


def test_nobody_can_sign_another_certificate_because_the_authoritys_key_is_gone(tmp_path: Path) -> None:
    made = development_certificate(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "server.key", "server.pem"]
    authority = x509.load_pem_x509_certificate(made.ca.read_bytes())
    server = x509.load_pem_x509_certificate(made.cert.read_bytes())
    assert authority.public_key() != server.public_key()
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_the_key_is_closed_and_the_life_is_what_clients_accept(tmp_path: Path) -> None:
    made = development_certificate(tmp_path / "tls")
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.key.parent.stat().st_mode) == 0o700
    certificate = x509.load_pem_x509_certificate(made.cert.read_bytes())
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert life <= timedelta(days=826)
    assert certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=824)


def test_a_good_certificate_is_kept_and_one_that_does_not_fit_is_replaced(tmp_path: Path) -> None:
    made = development_certificate(tmp_path)
    first = made.cert.read_bytes()
    assert development_certificate(tmp_path).cert.read_bytes() == first
    development_certificate(tmp_path, ["studio.local"])
    second = made.cert.read_bytes()
    assert second != first
    assert development_certificate(tmp_path).cert.read_bytes() == second, "it names more than is wanted: fine"
    made.key.write_text("damaged")
    development_certificate(tmp_path)
    assert made.cert.read_bytes() != second
    assert name_seen_by_a_client(made, "localhost") == "TLSv1.3"


def test_files_of_different_makings_are_not_mixed(tmp_path: Path) -> None:
    mine, other = development_certificate(tmp_path / "mine"), development_certificate(tmp_path / "other")
    mine.ca.write_bytes(other.ca.read_bytes())
    development_certificate(tmp_path / "mine")
    assert name_seen_by_a_client(mine, "localhost") == "TLSv1.3"


def test_a_certificate_is_renewed_before_it_expires(tmp_path: Path) -> None:
    made = development_certificate(tmp_path, now=datetime.now(UTC) - timedelta(days=800))
    old = made.cert.read_bytes()
    development_certificate(tmp_path)
    assert made.cert.read_bytes() != old
    assert name_seen_by_a_client(made, "localhost") == "TLSv1.3"


def test_the_text_names_the_authority_for_every_common_client(tmp_path: Path) -> None:
    made = development_certificate(tmp_path)
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert f"export {variable}={made.ca}" in made.how_to_trust()


def test_a_folder_that_cannot_be_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlatformError, match="is a file, not a folder"):
        development_certificate(tmp_path / "file")
