"""Logins in the store: sessions with their rotating refresh tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

from rushes.store.database import Database, collect, load_queries
from rushes.store.records import parse

_sql = load_queries("sessions")

REFRESH_GRACE = timedelta(seconds=60)
"""A refresh token just used stays good so long, because processes of one person share a file of tokens."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in one organisation."""

    org_id: UUID
    org_name: str
    role: str
    limits: Mapping[str, Any]
    operator: bool = False
    """The organisation runs this platform."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds, with its person and where they belong."""

    session_id: UUID
    user_id: UUID
    client: str
    email: str
    first_name: str
    last_name: str
    memberships: tuple[Membership, ...]


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a refresh gave: the number of the refresh token that is good now."""

    session_id: UUID
    user_id: UUID
    client: str
    refresh_n: int


class Refused(Enum):
    """Why a refresh gave nothing."""

    ENDED = auto()
    REUSED = auto()
    """The token was used long ago, so two parties hold it; the session has been ended."""


class Sessions:
    """Everything the store knows about logins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, session_id: UUID, user_id: UUID, client: str, life: timedelta) -> bool:
        """Open a session; False if this id was opened before."""
        async with self._database.connection() as connection:
            opened = await _sql.open_session(
                connection, session_id=session_id, user_id=user_id, client=client, life=life
            )
        return opened is not None

    async def get(self, session_id: UUID) -> Session | None:
        """A session that holds; None for any other id."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.session(connection, session_id=session_id))
        if not rows:
            return None
        first = rows[0]
        return Session(
            session_id=first["session_id"],
            user_id=first["user_id"],
            client=first["client"],
            email=first["email"],
            first_name=first["first_name"],
            last_name=first["last_name"],
            memberships=tuple(
                Membership(row["org_id"], row["org_name"], row["role"], parse(row["org_limits"]), row["operator"])
                for row in rows
                if row["org_id"] is not None
            ),
        )

    async def rotate(self, session_id: UUID, n: int, life: timedelta) -> Rotated | Refused:
        """Use up refresh token `n`. Within the grace time after its use it still gives what its first use gave."""
        async with self._database.transaction() as connection:
            row = await _sql.rotate_session(connection, session_id=session_id, n=n, life=life, grace=REFRESH_GRACE)
            if row is None:
                row = await _sql.reused_session(connection, session_id=session_id, n=n, grace=REFRESH_GRACE)
                if row is None or not row["holds"]:
                    return Refused.ENDED
                if not row["graced"]:
                    await collect(_sql.end_session(connection, session_id=session_id))
                    return Refused.REUSED
        return Rotated(session_id, row["user_id"], row["client"], row["refresh_n"])

    async def end(self, session_id: UUID) -> None:
        """End a session everywhere within a second."""
        async with self._database.connection() as connection:
            await collect(_sql.end_session(connection, session_id=session_id))

    async def forget_old(self) -> None:
        """Drop sessions that ended more than a day ago."""
        async with self._database.connection() as connection:
            await _sql.forget_sessions(connection)
