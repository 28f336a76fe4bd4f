"""A certificate for one's own machine, signed by an authority that exists only there."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rushes.store.platform_error import explained
from rushes.store.secret_file import write_secret

_LIFETIME = timedelta(days=825)
"""The longest that common clients accept from a server's certificate."""
_RENEWAL = timedelta(days=30)
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of PEM files: the server's certificate and key, and the authority to trust."""

    cert: Path
    key: Path
    ca: Path

    def how_to_trust(self) -> str:
        """Lines to paste into a shell, for clients that are not told by an option."""
        return "\n".join(
            (
                f"export SSL_CERT_FILE={self.ca}        # Python's ssl, httpx, Go, OpenSSL",
                f"export REQUESTS_CA_BUNDLE={self.ca}   # requests",
                f"export CURL_CA_BUNDLE={self.ca}       # curl",
                f"export NODE_EXTRA_CA_CERTS={self.ca}  # Node.js",
            )
        )


_Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def development_certificate(folder: Path, names: Sequence[str] = (), now: datetime | None = None) -> Certificate:
    """A certificate for localhost, 127.0.0.1, ::1 and `names`, made or renewed in `folder` as needed.

    The authority's key is thrown away after its one signature: nobody can steal it, so trusting the authority is safe.
    A renewal (in the last 30 of 825 days, or for other names) therefore comes with a new authority at the same path.
    """
    wanted = [*_LOCAL_NAMES, *(name for name in names if name not in _LOCAL_NAMES)]
    made = Certificate(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    now = now or datetime.now(UTC)
    with explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _still_good(made, wanted, now):
            authority = _authority(now)
            certificate, key = _server(authority, wanted, now)
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_secret(made.key, private.decode().rstrip())
            write_secret(made.cert, _pem(certificate))
            write_secret(made.ca, _pem(authority[0]))
    return made


def _still_good(made: Certificate, wanted: Sequence[str], now: datetime) -> bool:
    """Whether the files are whole, belong together, name all that is wanted and do not expire soon."""
    try:
        certificate = x509.load_pem_x509_certificate(made.cert.read_bytes())
        key = serialization.load_pem_private_key(made.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(made.ca.read_bytes()))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    named = {str(name.value) for name in names}
    fresh = certificate.not_valid_after_utc - _RENEWAL > now
    return fresh and named.issuperset(wanted) and certificate.public_key() == key.public_key()


def _authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"rushes development authority {now:%Y-%m-%d}")])
    builder = _begin(name, name, key, now).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(signs_certificates=True), critical=True).sign(key, hashes.SHA256()), key


def _server(authority: _Pair, names: Sequence[str], now: datetime) -> _Pair:
    certificate, signer = authority
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    issuer_id = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _begin(subject, certificate.subject, key, now)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False)
    )
    return builder.sign(signer, hashes.SHA256()), key


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode().rstrip()
