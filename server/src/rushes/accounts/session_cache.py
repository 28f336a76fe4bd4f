"""Sessions as the API checks them: cached for a second at most, so that the end of one is felt everywhere at once."""

import time
from collections.abc import Callable
from uuid import UUID

from rushes.store.sessions import Session, Sessions

CACHE_SECONDS = 1.0
"""Also the longest that an ended session can still work while notifications are lost."""
MAX_CACHED = 10_000


class SessionCache:
    """Finds sessions that hold. `forget` is called when a NOTIFY says that one changed."""

    def __init__(self, sessions: Sessions, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._clock = clock
        self._cached: dict[UUID, tuple[float, Session | None]] = {}

    async def find(self, session_id: UUID) -> Session | None:
        """The session, if it holds."""
        cached = self._cached.get(session_id)
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        # The second counts from before the read: an end that commits during it is felt in time.
        until = self._clock() + CACHE_SECONDS
        session = await self._sessions.get(session_id)
        if len(self._cached) >= MAX_CACHED:
            self._cached.clear()
        self._cached[session_id] = (until, session)
        return session

    def forget(self, payload: str) -> None:
        """Forget one session, or with `*` all of them."""
        if payload == "*":
            self.forget_all()
        else:
            self._cached.pop(UUID(payload), None)

    def forget_all(self) -> None:
        self._cached.clear()
