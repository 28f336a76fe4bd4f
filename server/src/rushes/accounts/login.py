"""Logging in: e-mail and password, then a code where one is wanted, then a session whose refresh token rotates."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from rushes.accounts.guard import Guard
from rushes.accounts.passwords import MAX_LENGTH, Passwords
from rushes.accounts.tokens import BadToken, Claims, Kind, Tokens
from rushes.accounts.totp import matching_step
from rushes.domain.errors import ApiError
from rushes.store.database import Row
from rushes.store.sessions import Refused, Sessions
from rushes.store.users import Users
from rushes.telemetry import logger

log = logger("login")

EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,255}")
LOGIN_TOKEN_SECONDS = 300
"""Time to find the telephone and read a code."""
PUBLISHED_SDK = "gmisdk"
"""The published SDK never refreshes while it runs, so its access tokens have a longer life."""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long tokens hold, in seconds."""

    access: float
    sdk_access: float
    refresh: float


@dataclass(frozen=True, slots=True, repr=False)
class FirstStep:
    """The password was right."""

    auth_token: str
    needs_code: bool


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """The tokens of a session."""

    access: str
    refresh: str


class Login:
    """The use cases behind /me. Every refusal is an ApiError; the text never tells whether an e-mail is known."""

    def __init__(
        self,
        users: Users,
        sessions: Sessions,
        guard: Guard,
        passwords: Passwords,
        tokens: Tokens,
        lives: Lives,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._guard = guard
        self._passwords = passwords
        self._tokens = tokens
        self._lives = lives
        self._clock = clock

    async def with_password(self, email: str, password: str, address: str) -> FirstStep:
        """Raises ApiError 400 invalid_credentials; the guard's TooManyTries."""
        async with self._passwords.turn():
            await self._guard.check(email, address)
            user = await self._users.by_email(email) if EMAIL.fullmatch(email) else None
            # The hash is computed in any case, so that an unknown e-mail takes as long as a wrong password.
            right = await self._passwords.verify(password[: MAX_LENGTH + 1], user["password_hash"] if user else None)
            if user is None or not right or user["disabled_at"] is not None:
                await self._guard.failed(email, address)
                log.info("login_refused", address=address)
                raise ApiError("invalid_credentials")
            if self._passwords.is_outdated(user["password_hash"]):
                await self._users.rehash(user["user_id"], user["password_hash"], await self._passwords.hash(password))
        # The session's id is drawn now, so that one login token opens one session.
        token = self._tokens.make(Kind.LOGIN, user["user_id"], uuid4(), LOGIN_TOKEN_SECONDS)
        return FirstStep(token, user["totp_secret"] is not None)

    async def open(self, auth_token: str, code: str | None, client: str, address: str) -> Pair:
        """A session, as tokens. Raises what `enter` raises."""
        claims = await self.enter(auth_token, code, client, address)
        return self._pair(claims.user_id, claims.session_id, client, 0)

    async def enter(self, auth_token: str, code: str | None, client: str, address: str) -> Claims:
        """Open the session that a login token is good for.

        Raises ApiError 401 for the token, 400 invalid_otp for the code; TooManyTries.
        """
        claims = self._read(Kind.LOGIN, auth_token, "authToken")
        user = await self._users.get(claims.user_id)
        if user is None or user["disabled_at"] is not None:
            raise _expired("authToken")
        if user["totp_secret"] is not None:
            if not code:
                raise ApiError("invalid_otp", "Invalid code, this account needs one as otpCode", param="otpCode")
            await self._check_code(user, code, address)
        life = timedelta(seconds=self._lives.refresh)
        if not await self._sessions.open(claims.session_id, claims.user_id, client, life):
            raise _expired("authToken")
        await self._guard.reset(user["email"])
        log.info("logged_in", user_id=str(claims.user_id), client=client)
        return claims

    async def refresh(self, refresh_token: str) -> Pair:
        """New tokens for old. Raises ApiError 401, and ends the session when a token is used long after its use."""
        claims = self._read(Kind.REFRESH, refresh_token, "refreshToken")
        rotated = await self._sessions.rotate(claims.session_id, claims.n, timedelta(seconds=self._lives.refresh))
        if isinstance(rotated, Refused):
            if rotated is Refused.REUSED:
                log.warning("refresh_token_reused", user_id=str(claims.user_id), session_id=str(claims.session_id))
            raise _expired("refreshToken")
        return self._pair(rotated.user_id, rotated.session_id, rotated.client, rotated.refresh_n)

    def session_of(self, access_token: str) -> UUID | None:
        """The session an access token names; None for any other text."""
        try:
            return self._tokens.read(Kind.ACCESS, access_token).session_id
        except BadToken:
            return None

    async def _check_code(self, user: Row, code: str, address: str) -> None:
        async with self._passwords.turn():
            await self._guard.check(user["email"], address)
            step = matching_step(user["totp_secret"], code, self._clock())
            if step is None or not await self._users.use_totp(user["user_id"], step):
                await self._guard.failed(user["email"], address)
                log.info("code_refused", address=address)
                raise ApiError("invalid_otp", param="otpCode")

    def _pair(self, user_id: UUID, session_id: UUID, client: str, n: int) -> Pair:
        seconds = self._lives.sdk_access if client == PUBLISHED_SDK else self._lives.access
        return Pair(
            self._tokens.make(Kind.ACCESS, user_id, session_id, seconds),
            self._tokens.make(Kind.REFRESH, user_id, session_id, self._lives.refresh, n),
        )

    def _read(self, kind: Kind, token: str, name: str) -> Claims:
        try:
            return self._tokens.read(kind, token)
        except BadToken as error:
            raise _expired(name) from error


def _expired(name: str) -> ApiError:
    return ApiError("unauthenticated", f"Invalid or expired {name}, please log in again", param=name)
