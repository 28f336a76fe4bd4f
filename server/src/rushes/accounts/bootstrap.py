"""First start: one organisation and one API key, printed once by whoever called; at every start a one-time link."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher

from rushes.accounts.keys import new_key
from rushes.accounts.passwords import unmatchable
from rushes.accounts.sign_in_link import new_link
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.migrate import migrate
from rushes.store.page_sessions import PageSessions
from rushes.store.users import EmailTaken, Users

FIRST_ORGANISATION = "default"
FIRST_OWNER = "owner@localhost"
"""Who the link of `rushes up` signs in where the first organisation has no owner: nobody has a password for it yet."""


@dataclass(frozen=True, slots=True)
class FirstKey:
    """What first start made."""

    org_id: UUID
    key_id: str
    key: str

    def __repr__(self) -> str:
        return f"FirstKey({self.key_id!r}, ...)"


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """What a start found or made: the first key, if this was the first start, and the token of a one-time link."""

    key: FirstKey | None
    link: str | None


async def bootstrap(database_url: str) -> Start:
    """Migrate the database; on first start make the organisation and its key. Each start makes a one-time link."""
    database = Database(database_url, size=2)
    await database.start()
    try:
        async with database.connection() as connection:
            await migrate(connection)
        accounts = Accounts(database)
        await signing_keys(accounts)
        org_id, made = await accounts.first_organisation(FIRST_ORGANISATION)
        return Start(
            await create_key(accounts, org_id, "first key") if made else None, await _owner_link(database, org_id)
        )
    finally:
        await database.stop()


async def first_owner_link(database: Database) -> str | None:
    """A one-time link for an owner of the first organisation; None if there is none who may log in."""
    org_id, _ = await Accounts(database).first_organisation(FIRST_ORGANISATION)
    return await _owner_link(database, org_id)


async def _owner_link(database: Database, org_id: UUID) -> str | None:
    """A link for an owner of the first organisation, who is made if there is none; None if that one was shut out."""
    store = PageSessions(database)
    owner = await store.first_owner(org_id)
    if owner is None:
        try:
            owner = await Users(database).add(FIRST_OWNER, unmatchable(PasswordHasher()), org_id, "owner")
        except EmailTaken:
            return None
    return await new_link(store, owner)


async def create_key(
    accounts: Accounts,
    org_id: UUID,
    name: str,
    *,
    scopes: Sequence[str] = ("ie_model",),
    expires_at: datetime | None = None,
    spend_limit_micro: int | None = None,
) -> FirstKey:
    """A new key of an organisation, for the request queue unless other scopes are given."""
    key = new_key()
    await accounts.add_key(
        org_id,
        key_id=key.key_id,
        secret_hash=key.secret_hash,
        last4=key.last4,
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        spend_limit_micro=spend_limit_micro,
    )
    return FirstKey(org_id, key.key_id, key.key)


async def signing_keys(accounts: Accounts) -> list[tuple[str, bytes]]:
    """The keys (id, secret) that links and tokens are signed with, oldest first; the first is drawn on first use."""
    return await accounts.signing_keys(secrets.token_hex(4), secrets.token_bytes(32))
