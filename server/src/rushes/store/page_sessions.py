"""Sessions of the web page in the store: a hashed cookie that stands for a person's session or for a key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rushes.store.database import Database, load_queries

_sql = load_queries("page_sessions")


@dataclass(frozen=True, slots=True)
class PageRow:
    """What a cookie stands for: one of the two ids is set."""

    session_id: UUID | None
    key_id: str | None
    created_at: datetime
    expires_at: datetime


class PageSessions:
    """Everything the store knows about page sessions and one-time links; tokens come here only as their SHA-256."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self, token_hash: bytes, life: timedelta, *, session_id: UUID | None = None, key_id: str | None = None
    ) -> None:
        """Open one for a person's session or for a key."""
        async with self._database.connection() as connection:
            await _sql.open_page_session(
                connection, token_hash=token_hash, session_id=session_id, key_id=key_id, life=life
            )

    async def get(self, token_hash: bytes) -> PageRow | None:
        """One that has not run out. Whether its person or key still holds is not looked at."""
        async with self._database.connection() as connection:
            row = await _sql.page_session(connection, token_hash=token_hash)
        return None if row is None else PageRow(**dict(row))

    async def end(self, token_hash: bytes) -> UUID | None:
        """End one on every API process within a second; the person's session it stood for, if it was one."""
        async with self._database.connection() as connection:
            row = await _sql.end_page_session(connection, token_hash=token_hash)
        return None if row is None else row["session_id"]

    async def add_link(self, token_hash: bytes, user_id: UUID, life: timedelta) -> None:
        async with self._database.connection() as connection:
            await _sql.add_link(connection, token_hash=token_hash, user_id=user_id, life=life)

    async def use_link(self, token_hash: bytes) -> UUID | None:
        """Use a link up: its person, None if it lets nobody in (any more)."""
        async with self._database.connection() as connection:
            return await _sql.use_link(connection, token_hash=token_hash)

    async def first_owner(self, org_id: UUID) -> UUID | None:
        """The first owner of an organisation who is not shut out."""
        async with self._database.connection() as connection:
            return await _sql.first_owner(connection, org_id=org_id)

    async def forget_old(self) -> None:
        """Drop what has run out."""
        async with self._database.connection() as connection:
            await _sql.forget_page_sessions(connection)
            await _sql.forget_links(connection)
