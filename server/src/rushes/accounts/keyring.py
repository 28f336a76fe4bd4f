"""API keys as the API checks them: cached for a second at most, so that a revocation is felt everywhere at once."""

import time
from collections.abc import Callable

from rushes.accounts.keys import is_same, key_id_of
from rushes.store.accounts import Accounts, KeyRow

CACHE_SECONDS = 1.0
"""Also the longest that a revoked key can still work while notifications are lost."""
MAX_CACHED = 10_000


class Keyring:
    """Finds the row of a key. Forget is called when a NOTIFY says that a key changed."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._clock = clock
        self._cached: dict[str, tuple[float, KeyRow | None]] = {}
        self._used: set[str] = set()

    async def find(self, key: str) -> KeyRow | None:
        """The row of a key that holds; None for every other text, in the same time."""
        key_id = key_id_of(key)
        if key_id is None:
            return None
        row = await self._row(key_id)
        good = is_same(key, row.secret_hash if row else bytes(32))
        if row is None or not good or not row.holds:
            return None
        self._used.add(key_id)
        return row

    async def holding(self, key_id: str) -> KeyRow | None:
        """The row of a key known by its public part, if it holds; for a page session that was opened with the key."""
        row = await self._row(key_id)
        if row is None or not row.holds:
            return None
        self._used.add(key_id)
        return row

    def forget(self, key_id: str) -> None:
        self._cached.pop(key_id, None)

    def forget_all(self) -> None:
        self._cached.clear()

    async def write_uses(self) -> None:
        """Write down which keys were used since the last call; maintenance calls this."""
        used, self._used = self._used, set()
        if used:
            await self._accounts.used(sorted(used))

    async def _row(self, key_id: str) -> KeyRow | None:
        cached = self._cached.get(key_id)
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        asked_at = self._clock()
        row = await self._accounts.key(key_id)
        if len(self._cached) >= MAX_CACHED:
            self._cached.clear()
        # The second counts from before the read: a revocation that commits during it is felt in time.
        self._cached[key_id] = (asked_at + CACHE_SECONDS, row)
        return row
