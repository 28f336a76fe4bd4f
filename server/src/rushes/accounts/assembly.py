"""The parts behind logins, put together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rushes.accounts.guard import Guard
from rushes.accounts.keyring import Keyring
from rushes.accounts.login import Lives, Login
from rushes.accounts.page_session import PageSession
from rushes.accounts.passwords import Passwords
from rushes.accounts.session_cache import SessionCache
from rushes.accounts.tokens import Tokens
from rushes.config import Settings
from rushes.store.database import Database
from rushes.store.listen import Listener
from rushes.store.login_failures import LoginFailures
from rushes.store.page_sessions import PageSessions
from rushes.store.sessions import Sessions
from rushes.store.users import Users

SWEEP_SECONDS = 600.0


@dataclass(slots=True)
class Logins:
    """Everything a serving process needs to let people in."""

    login: Login
    sessions: Sessions
    cache: SessionCache
    failures: LoginFailures
    page: PageSession
    page_sessions: PageSessions
    sweep_at: float = 0.0

    async def forget_old(self) -> None:
        """Drop what no login needs any more, now and then; maintenance calls this in every round."""
        if time.monotonic() >= self.sweep_at:
            self.sweep_at = time.monotonic() + SWEEP_SECONDS
            await self.sessions.forget_old()
            await self.failures.forget_old()
            await self.page_sessions.forget_old()


def logins(
    settings: Settings, database: Database, listener: Listener, keys: Sequence[tuple[str, bytes]], keyring: Keyring
) -> Logins:
    """`keys` are the signing keys, id and secret, the newest last. Call it before the listener starts."""
    sessions, failures, passwords = Sessions(database), LoginFailures(database), Passwords()
    cache, guard = SessionCache(sessions), Guard(failures)
    lives = Lives(
        access=settings.access_token_seconds,
        sdk_access=settings.sdk_token_seconds,
        refresh=settings.session_days * 86_400,
    )
    login = Login(Users(database), sessions, guard, passwords, Tokens(keys), lives)
    page_sessions, life = PageSessions(database), timedelta(days=settings.session_days)
    page = PageSession(page_sessions, login, sessions, cache, keyring, guard, life)
    listener.on("rushes_session", cache.forget)
    listener.on("rushes_page", page.forget)
    listener.on_lost(cache.forget_all)
    listener.on_lost(page.forget_all)
    return Logins(login, sessions, cache, failures, page, page_sessions)
