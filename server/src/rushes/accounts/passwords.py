"""Passwords: Argon2id with the library's defaults (RFC 9106, low memory), at most two hashes at once."""

import asyncio
import base64
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 256
HASHES_AT_ONCE = 2
"""One takes 64 MiB and more than a tenth of a second of several cores; logins beyond two wait for their turn."""


class WeakPassword(Exception):
    """The sentence says what a password must be."""


def check_password(password: str) -> None:
    """Raises WeakPassword for a length out of bounds; there are no other rules (NIST SP 800-63B)."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"A password must have {MIN_LENGTH} to {MAX_LENGTH} characters")


class Passwords:
    """Hashes and verifies in threads of its own, so that the event loop goes on."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="argon2")
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)
        self._nobodys = unmatchable(self._hasher)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """One of the turns at judging a secret: what is done under it, at most two logins do at once."""
        return self._turns

    async def hash(self, password: str) -> str:
        """Raises WeakPassword."""
        check_password(password)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether this is the password. None as `stored` takes as long as a wrong password, and is always False."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._verify, password, stored or self._nobodys
        )

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerificationError:
            return False


def unmatchable(hasher: PasswordHasher) -> str:
    """A well-formed hash that belongs to no password: its salt and digest are drawn, nothing was hashed."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
