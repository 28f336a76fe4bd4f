"""First start: one organisation and one API key, printed once by whoever called."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rushes.accounts.keys import new_key
from rushes.store.accounts import Accounts
from rushes.store.database import Database
from rushes.store.migrate import migrate

FIRST_ORGANISATION = "default"


@dataclass(frozen=True, slots=True)
class FirstKey:
    """What first start made."""

    org_id: UUID
    key_id: str
    key: str

    def __repr__(self) -> str:
        return f"FirstKey({self.key_id!r}, ...)"


async def bootstrap(database_url: str) -> FirstKey | None:
    """Migrate the database; on first start make the organisation and its key, else return None."""
    database = Database(database_url, size=2)
    await database.start()
    try:
        async with database.connection() as connection:
            await migrate(connection)
        accounts = Accounts(database)
        await signing_keys(accounts)
        org_id, made = await accounts.first_organisation(FIRST_ORGANISATION)
        return await create_key(accounts, org_id, "first key") if made else None
    finally:
        await database.stop()


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
