"""Time-based one-time passwords (RFC 6238): six digits, SHA-1, steps of 30 seconds, as authenticator apps have them."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
"""The length of a SHA-1 key that RFC 4226 recommends."""
NEIGHBOURS = (0, -1, 1)
"""Clocks differ: the step before and the one after count, too."""


def new_secret() -> str:
    """A secret in base32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of a time step (RFC 4226, section 5.3). `secret` is base32."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: str, code: str, now: float) -> int | None:
    """The time step around `now` (unix seconds) whose code this is, or None. Blanks within the code do not matter.

    A code may be used once: the caller keeps the step and refuses it, and earlier ones, from then on.
    """
    given = "".join(code.split()).encode()
    current = int(now) // STEP_SECONDS
    found = None
    for neighbour in NEIGHBOURS:  # all of them, so that the time does not tell which one matched
        step = current + neighbour
        if hmac.compare_digest(code_at(secret, step).encode(), given) and found is None:
            found = step
    return found


def otpauth_uri(secret: str, email: str, issuer: str = "rushes") -> str:
    """What an authenticator app reads from a QR code."""
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{quote(f'{issuer}:{email}', safe='')}?{query}"
