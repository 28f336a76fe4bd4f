"""API keys: `gmi_` + eight public characters + 32 random bytes and a checksum, both in base62.

What is stored is the public part and the SHA-256 of the whole key: a slow hash would buy nothing for 256 random bits.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass

PREFIX = "gmi_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 8
SECRET_LENGTH = 43  # 62**43 > 2**256
CHECK_LENGTH = 6  # 62**6 > 2**32
LENGTH = len(PREFIX) + ID_LENGTH + SECRET_LENGTH + CHECK_LENGTH

SCOPES = ("ie_model", "ce_resource")
OPERATE = "operate"
"""The scope of a key that runs the platform; only the command line gives it out, to the operator's organisation."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once."""

    key: str
    key_id: str
    secret_hash: bytes
    last4: str

    def __repr__(self) -> str:
        return f"NewKey({self.key_id!r}, ...)"


def _base62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK_LENGTH)


def new_key() -> NewKey:
    """Draw a key."""
    key_id = "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
    body = PREFIX + key_id + _base62(secrets.randbits(256), SECRET_LENGTH)
    key = body + _checksum(body)
    return NewKey(key, key_id, digest(key), key[-4:])


def digest(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


def key_id_of(key: str) -> str | None:
    """The public part of a well-formed key, None for any other text."""
    if len(key) != LENGTH or not key.startswith(PREFIX) or not key.isascii():
        return None
    if not hmac.compare_digest(_checksum(key[:-CHECK_LENGTH]), key[-CHECK_LENGTH:]):
        return None
    return key[len(PREFIX) : len(PREFIX) + ID_LENGTH]


def is_same(key: str, secret_hash: bytes) -> bool:
    """Whether this is the stored key, in constant time."""
    return hmac.compare_digest(digest(key), secret_hash)
