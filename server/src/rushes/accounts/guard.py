"""Limits on guessing: failures per e-mail, per address and in all, within five minutes."""

import hashlib
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from rushes.store.login_failures import LoginFailures

WINDOW = timedelta(minutes=5)
PER_EMAIL = 10
PER_ADDRESS = 10
IN_ALL = 1000
"""The figures are those of the Python package index (Warehouse)."""


class TooManyTries(Exception):
    """A limit is reached; `seconds` until the next try may be made."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"next try in {seconds:.0f} s")
        self.seconds = seconds


class Guard:
    """Counts failures in the database, for all API processes together. Nobody is shut out for longer than a window."""

    def __init__(self, failures: LoginFailures) -> None:
        self._failures = failures

    async def check(self, email: str | None, address: str) -> None:
        """Raises TooManyTries. Without an e-mail (a key or a link is tried) the address counts, and all together.

        Call it under a turn, so that parallel tries cannot all pass before one has failed.
        """
        wait = await self._failures.wait(_limits(email, address), WINDOW)
        if wait is not None:
            raise TooManyTries(wait)

    async def failed(self, email: str | None, address: str) -> None:
        """Count one failure."""
        await self._failures.add(list(_limits(email, address)))

    async def reset(self, email: str) -> None:
        """Its owner is in: earlier failures do not count any more."""
        await self._failures.forgive(_email(email))


def _limits(email: str | None, address: str) -> dict[str, int]:
    limits = {_address(address): PER_ADDRESS, "all": IN_ALL}
    return limits if email is None else {_email(email): PER_EMAIL, **limits}


def _email(email: str) -> str:
    """The e-mail as a digest: the table of failures shall not be a list of addresses."""
    return "email:" + hashlib.sha256(email.lower().encode()).hexdigest()


def _address(address: str) -> str:
    """An IPv6 customer has a whole /64, so that is what counts."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "address:" + address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address:{parsed.ipv4_mapped}"
        return f"address:{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return f"address:{parsed}"
