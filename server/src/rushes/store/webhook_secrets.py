"""The secrets that sign an organisation's webhooks."""

from uuid import UUID, uuid4

from rushes.store.database import Database, Row, collect, load_queries

_sql = load_queries("webhook_secrets")

GOOD_AT_ONCE = 2
"""While one secret replaces another, both sign."""


class WebhookSecrets:
    """Webhook secrets of organisations. A row's `secret` is the text `whsec_...`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, org_id: UUID, secret: str) -> Row:
        """A new secret; of those before it the newest stays good, the others are retired."""
        async with self._database.transaction() as connection:
            await _sql.lock_organisation(connection, org_id=org_id)
            await _sql.retire_webhook_secrets(connection, org_id=org_id, keep=GOOD_AT_ONCE - 1)
            return await _sql.add_webhook_secret(connection, secret_id=uuid4(), org_id=org_id, secret=secret)

    async def in_force(self, org_id: UUID) -> list[Row]:
        """The secrets that sign now, newest first."""
        async with self._database.connection() as connection:
            return await collect(_sql.webhook_secrets(connection, org_id=org_id))

    async def revoke(self, org_id: UUID, secret_id: UUID) -> bool:
        """Stop signing with a secret; False if it is not in force there, or the only one."""
        async with self._database.transaction() as connection:
            await _sql.lock_organisation(connection, org_id=org_id)
            return await _sql.revoke_webhook_secret(connection, org_id=org_id, secret_id=secret_id) is not None
