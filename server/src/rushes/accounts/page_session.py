"""Page sessions: signing in to the web page with a password, a key or a one-time link, and who a cookie stands for.

The cookie holds a random token that means nothing by itself; the table has its SHA-256. A page session leads to a
person's session or to an API key, and every call asks whether that still holds, so it ends with them.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from rushes.accounts.guard import Guard
from rushes.accounts.keyring import Keyring
from rushes.accounts.login import Login
from rushes.accounts.session_cache import SessionCache
from rushes.accounts.sign_in_link import PREFIX as LINK
from rushes.accounts.sign_in_link import digest
from rushes.domain.errors import ApiError
from rushes.store.accounts import KeyRow
from rushes.store.page_sessions import PageRow, PageSessions
from rushes.store.sessions import Session, Sessions
from rushes.telemetry import logger

log = logger("page session")

PREFIX = "rps_"
CLIENT = "page"
CACHE_SECONDS = 1.0
MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a cookie stands for: a person or a key, one of the two."""

    person: Session | None
    key: KeyRow | None
    since: datetime
    until: datetime


class PageSession:
    """The use cases of the page's sign-in. Every refusal is an ApiError, or the guard's TooManyTries."""

    def __init__(
        self,
        store: PageSessions,
        login: Login,
        sessions: Sessions,
        cache: SessionCache,
        keyring: Keyring,
        guard: Guard,
        life: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.life = life
        self._store = store
        self._login = login
        self._sessions = sessions
        self._cache = cache
        self._keyring = keyring
        self._guard = guard
        self._clock = clock
        self._rows: dict[bytes, tuple[float, PageRow | None]] = {}

    async def with_password(self, email: str, password: str, code: str | None, address: str) -> str:
        """A new cookie's token. Raises ApiError 400 for what is wrong, invalid_otp where a code is wanted."""
        first = await self._login.with_password(email, password, address)
        return await self.with_token(first.auth_token, code, address)

    async def with_token(self, auth_token: str, code: str | None, address: str) -> str:
        """The same after POST /me/auth-tokens, so that nobody types the password again beside the code."""
        claims = await self._login.enter(auth_token, code, CLIENT, address)
        return await self._opened(session_id=claims.session_id)

    async def with_key(self, key: str, address: str) -> str:
        """Raises ApiError 400 for a key that does not hold."""
        await self._guard.check(None, address)
        row = await self._keyring.find(key)
        if row is None:
            raise await self._refused(address, "This API key is not known, was revoked or has expired", "apiKey")
        log.info("logged_in", key_id=row.key_id, client=CLIENT)
        return await self._opened(key_id=row.key_id)

    async def with_link(self, link: str, address: str) -> str:
        """Raises ApiError 400 for a link that was used, is too old or never was one."""
        await self._guard.check(None, address)
        user_id = await self._store.use_link(digest(link)) if link.startswith(LINK) else None
        if user_id is None:
            text = "This link was used before or is too old; `rushes users link` prints a new one"
            raise await self._refused(address, text, "link")
        session_id = uuid4()
        await self._sessions.open(session_id, user_id, CLIENT, self.life)
        log.info("logged_in", user_id=str(user_id), client="link")
        return await self._opened(session_id=session_id)

    async def find(self, token: str) -> SignedIn | None:
        """Who a cookie stands for; None when it, its person or its key does not hold."""
        row = await self._row(digest(token)) if token.startswith(PREFIX) else None
        if row is None:
            return None
        person = None if row.session_id is None else await self._cache.find(row.session_id)
        key = None if row.key_id is None else await self._keyring.holding(row.key_id)
        if person is None and key is None:
            return None
        return SignedIn(person, key, row.created_at, row.expires_at)

    async def end(self, token: str) -> None:
        """Sign out: the cookie means nothing any more, on every API process within a second."""
        token_hash = digest(token)
        session_id = await self._store.end(token_hash)
        self._rows.pop(token_hash, None)
        if session_id is not None:
            await self._sessions.end(session_id)
            self._cache.forget(str(session_id))

    def forget(self, payload: str) -> None:
        """A NOTIFY says that a page session, by its hash in hex, has ended."""
        self._rows.pop(bytes.fromhex(payload), None)

    def forget_all(self) -> None:
        self._rows.clear()

    async def _opened(self, *, session_id: UUID | None = None, key_id: str | None = None) -> str:
        token = PREFIX + secrets.token_urlsafe(32)
        await self._store.open(digest(token), self.life, session_id=session_id, key_id=key_id)
        return token

    async def _refused(self, address: str, text: str, name: str) -> ApiError:
        await self._guard.failed(None, address)
        log.info("login_refused", address=address)
        return ApiError("invalid_credentials", text, param=name)

    async def _row(self, token_hash: bytes) -> PageRow | None:
        cached = self._rows.get(token_hash)
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        # The second counts from before the read: an end that commits during it is felt in time.
        until = self._clock() + CACHE_SECONDS
        row = await self._store.get(token_hash)
        if len(self._rows) >= MAX_CACHED:
            self._rows.clear()
        self._rows[token_hash] = (until, row)
        return row
