"""People in the store: users, their memberships, their second factor."""

from typing import Any
from uuid import UUID, uuid4

from rushes.store.database import Connection, Database, Row, collect, load_queries
from rushes.store.records import parse

_sql = load_queries("users")
_sessions = load_queries("sessions")

ROLES = ("owner", "member", "viewer")
"""An owner administers, a member works, a viewer only reads."""


class EmailTaken(Exception):
    """Somebody has this e-mail already."""


class Users:
    """Everything the store knows about people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, email: str, password_hash: str, org_id: UUID, role: str, *, first_name: str = "", last_name: str = ""
    ) -> UUID:
        """A new user in one organisation. Raises EmailTaken."""
        user_id = uuid4()
        async with self._database.transaction() as connection:
            made = await _sql.add_user(
                connection,
                user_id=user_id,
                email=email,
                password_hash=password_hash,
                first_name=first_name,
                last_name=last_name,
            )
            if made is None:
                raise EmailTaken(email)
            await _sql.add_membership(connection, org_id=org_id, user_id=user_id, role=role)
        return user_id

    async def join(self, user_id: UUID, org_id: UUID, role: str) -> None:
        """Make a user a member of an organisation, or change the role there."""
        async with self._database.transaction() as connection:
            await _sql.add_membership(connection, org_id=org_id, user_id=user_id, role=role)
            await _end_sessions(connection, user_id)

    async def by_email(self, email: str) -> Row | None:
        async with self._database.connection() as connection:
            return await _sql.user_by_email(connection, email=email)

    async def get(self, user_id: UUID) -> Row | None:
        async with self._database.connection() as connection:
            return await _sql.user(connection, user_id=user_id)

    async def all(self) -> list[dict[str, Any]]:
        """Everybody, with memberships as a list of org_id, organisation and role."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.users(connection))
        return [{**row, "memberships": parse(row["memberships"])} for row in rows]

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """Replace the password and end every session that began under the old one."""
        async with self._database.transaction() as connection:
            await _sql.set_password(connection, password_hash=password_hash, user_id=user_id)
            await _end_sessions(connection, user_id)

    async def rehash(self, user_id: UUID, old_hash: str, password_hash: str) -> None:
        """Store another hash of the same password."""
        async with self._database.connection() as connection:
            await _sql.rehash(connection, password_hash=password_hash, user_id=user_id, old_hash=old_hash)

    async def set_totp(self, user_id: UUID, secret: str | None) -> None:
        """A new secret of the second factor, or None for no second factor. Sessions end."""
        async with self._database.transaction() as connection:
            await _sql.set_totp(connection, totp_secret=secret, user_id=user_id)
            await _end_sessions(connection, user_id)

    async def use_totp(self, user_id: UUID, step: int) -> bool:
        """Use up the code of a time step; False if it, or a later one, was used before."""
        async with self._database.connection() as connection:
            return await _sql.use_totp(connection, step=step, user_id=user_id) is not None

    async def set_disabled(self, user_id: UUID, disabled: bool) -> None:
        """Shut a user out, sessions and keys included, or let them in again."""
        async with self._database.transaction() as connection:
            await _sql.set_disabled(connection, disabled=disabled, user_id=user_id)
            await _end_sessions(connection, user_id)


async def _end_sessions(connection: Connection, user_id: UUID) -> None:
    await collect(_sessions.end_sessions_of(connection, user_id=user_id))
