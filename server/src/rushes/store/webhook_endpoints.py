"""Standing webhook endpoints: addresses of an organisation that are told of all its requests."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from rushes.store.database import Database, Row, collect, load_queries

_sql = load_queries("webhook_endpoints")

MAX_ENDPOINTS = 10
"""Of one organisation: every event is written once for each."""


class TooManyEndpoints(Exception):
    """The organisation has as many endpoints as it may."""


class WebhookEndpoints:
    """The endpoints of organisations. Each method sees one organisation's only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, org_id: UUID, url: str, events: Sequence[str]) -> Row:
        """A new endpoint, told of what happens from now on. Raises TooManyEndpoints."""
        async with self._database.transaction() as connection:
            await _sql.lock_organisation(connection, org_id=org_id)
            if await _sql.count_endpoints(connection, org_id=org_id) >= MAX_ENDPOINTS:
                raise TooManyEndpoints
            added = await _sql.add_endpoint(
                connection, endpoint_id=uuid4(), org_id=org_id, url=url, events=list(events)
            )
            (row,) = await collect(_sql.endpoints(connection, org_id=org_id, endpoint_id=added["endpoint_id"]))
        return row

    async def listed(self, org_id: UUID) -> list[Row]:
        """All of them, the failing ones first; with `waiting` and `failing_since`."""
        async with self._database.connection() as connection:
            return await collect(_sql.endpoints(connection, org_id=org_id, endpoint_id=None))

    async def one(self, org_id: UUID, endpoint_id: UUID) -> Row | None:
        async with self._database.connection() as connection:
            rows = await collect(_sql.endpoints(connection, org_id=org_id, endpoint_id=endpoint_id))
        return rows[0] if rows else None

    async def change(
        self,
        org_id: UUID,
        endpoint_id: UUID,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> Row | None:
        """Change what is not None; None if there is no such endpoint. What waited for a disabled one is given up."""
        async with self._database.transaction() as connection:
            changed = await _sql.change_endpoint(
                connection,
                url=url,
                events=list(events) if events is not None else None,
                enabled=enabled,
                org_id=org_id,
                endpoint_id=endpoint_id,
            )
            if changed is None:
                return None
            if enabled is False:
                await _sql.stop_waiting(connection, org_id=org_id, endpoint_id=endpoint_id)
            (row,) = await collect(_sql.endpoints(connection, org_id=org_id, endpoint_id=endpoint_id))
        return row

    async def remove(self, org_id: UUID, endpoint_id: UUID) -> bool:
        """Forget an endpoint; its deliveries stay in the log, those that waited are given up."""
        async with self._database.transaction() as connection:
            await _sql.stop_waiting(connection, org_id=org_id, endpoint_id=endpoint_id)
            return await _sql.remove_endpoint(connection, org_id=org_id, endpoint_id=endpoint_id) is not None
