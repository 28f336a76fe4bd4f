"""The three tokens of a login, as JWTs, because the published SDK reads them as such without a key.

A token proves little by itself: the session row behind it decides on every call (session_cache.py). What is checked
here (RFC 8725): one algorithm, a key id of our own table, every claim present, and an audience of its own for each kind
of token, so that none can stand in for another.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt

ALGORITHM = "HS256"
ISSUER = "rushes"
SKEW_SECONDS = 60
"""How far the clocks of two API processes may be apart."""
REQUIRED = ("exp", "iat", "sub", "aud", "iss")
MAX_LENGTH = 2048


class Kind(StrEnum):
    """What a token is for: its audience."""

    LOGIN = "rushes-login"
    ACCESS = "rushes-access"
    REFRESH = "rushes-refresh"


class BadToken(Exception):
    """Not a token of ours, of another kind, or expired. Why is nobody's business."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    user_id: UUID
    session_id: UUID
    n: int
    """The number of a refresh token; 0 for other kinds."""


class Tokens:
    """Signs with the newest of the signing keys (id, secret), believes every one."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], clock: Callable[[], float] = time.time) -> None:
        self._newest = keys[-1][0]
        # The same table signs links: a key derived for each use keeps the two apart.
        self._keys = {kid: hmac.digest(secret, b"rushes tokens", hashlib.sha256) for kid, secret in keys}
        self._clock = clock

    def __repr__(self) -> str:
        return f"Tokens(newest={self._newest!r})"

    def make(self, kind: Kind, user_id: UUID, session_id: UUID, seconds: float, n: int = 0) -> str:
        """A token that holds for so many seconds."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": kind.value,
            "sub": str(user_id),
            "userId": str(user_id),
            "sid": str(session_id),
            "n": n,
            "iat": now,
            "exp": now + int(seconds),
        }
        return jwt.encode(claims, self._keys[self._newest], algorithm=ALGORITHM, headers={"kid": self._newest})

    def read(self, kind: Kind, token: str) -> Claims:
        """Raises BadToken."""
        try:
            return _claims(self._verified(kind, token))
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, RecursionError) as error:
            raise BadToken from error

    def _verified(self, kind: Kind, token: str) -> dict[str, Any]:
        if len(token) > MAX_LENGTH:
            raise BadToken
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=kind.value,
            issuer=ISSUER,
            options={"require": list(REQUIRED), "verify_exp": False, "verify_iat": False},
        )
        # Against our own clock, which PyJWT does not take as an argument.
        now = self._clock()
        if not (claims["iat"] - SKEW_SECONDS <= now < claims["exp"] + SKEW_SECONDS):
            raise BadToken
        return claims


def _claims(claims: dict[str, Any]) -> Claims:
    return Claims(UUID(claims["sub"]), UUID(claims["sid"]), int(claims["n"]))
