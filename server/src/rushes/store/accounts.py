"""Organisations and API keys in the store."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from rushes.store.database import Connection, Database, Row, collect, load_queries
from rushes.store.records import dump, parse

_sql = load_queries("accounts")

BOOTSTRAP_LOCK = 7_364_202
SOME = 2_000
"""Requests that are moved to the limited ones in one statement."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A stored API key and what it may do."""

    key_id: str
    org_id: UUID
    user_id: UUID | None
    name: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    limits: Mapping[str, Any]
    """The key's own limits over those of its organisation."""
    holds: bool
    expires_at: datetime | None
    org_name: str = ""
    operator: bool = False
    """Its organisation runs this platform."""


class Accounts:
    """Everything the store knows about organisations, keys and signing keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_organisation(
        self,
        name: str,
        *,
        balance_micro: int | None = None,
        limits: Mapping[str, Any] | None = None,
        operator: bool = False,
    ) -> UUID:
        """A new organisation; owners of one that is `operator` run this platform."""
        async with self._database.connection() as connection:
            return await _add_organisation(connection, name, balance_micro, limits or {}, operator=operator)

    async def first_organisation(self, name: str) -> tuple[UUID, bool]:
        """The oldest organisation, made if there is none, as the operator; whether it was made. Safe in several
        processes at once."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", BOOTSTRAP_LOCK)
            org_id = await _sql.any_organisation(connection)
            if org_id is not None:
                return org_id, False
            return await _add_organisation(connection, name, None, {}, operator=True), True

    async def named(self, text: str) -> list[Row]:
        """The organisations whose id or name this is."""
        async with self._database.connection() as connection:
            return await collect(_sql.organisations_named(connection, text=text))

    async def set_balance(self, org_id: UUID, balance_micro: int | None) -> None:
        """What the organisation may still spend, in micro-dollars; None is unlimited."""
        async with self._database.connection() as connection:
            await _sql.set_balance(connection, balance_micro=balance_micro, org_id=org_id)

    async def set_limits(self, org_id: UUID, limits: Mapping[str, int], max_running: int | None) -> None:
        """Replace the organisation's limits. Felt within a second; what runs already goes on."""
        async with self._counting() as connection:
            await _sql.set_limits(connection, limits=dump(limits), max_running=max_running, org_id=org_id)
        if max_running is not None:
            await self._sort_out(org_id, None)

    async def set_lane_limit(self, org_id: UUID, lane: str, max_running: int | None) -> None:
        """How many requests of a lane the organisation may run at once, None for as many as there are slots."""
        async with self._counting() as connection:
            if max_running is None:
                await _sql.take_lane_limit(connection, org_id=org_id, lane=lane)
            else:
                await _sql.set_lane_limit(connection, org_id=org_id, lane=lane, max_running=max_running)
        if max_running is not None:
            await self._sort_out(org_id, lane)

    @asynccontextmanager
    async def _counting(self) -> AsyncGenerator[Connection]:
        """No claim may be half-way between its look at a limit and its commit while we count what runs. Claims and
        submits wait for the few milliseconds this takes."""
        async with self._database.transaction() as connection:
            await connection.execute("LOCK TABLE organisations, lane_limits IN SHARE ROW EXCLUSIVE MODE")
            yield connection

    async def _sort_out(self, org_id: UUID, lane: str | None) -> None:
        """Move what waits already out of the way of others, a part at a time; claims are right without it, only slower
        behind a long line."""
        moved = True
        while moved:
            async with self._database.connection() as connection:
                moved = await collect(_sql.sort_out(connection, org_id=org_id, lane=lane, some=SOME))

    async def lane_limits(self) -> list[Row]:
        """Every limit of an organisation for one lane: org_id, lane, max_running."""
        async with self._database.connection() as connection:
            return await collect(_sql.lane_limits(connection))

    async def set_weight(self, org_id: UUID, weight: float) -> None:
        """Its part of a lane against others: one of weight 2 gets twice the work of one of weight 1, from its next
        submit on."""
        async with self._database.connection() as connection:
            await _sql.set_weight(connection, weight=weight, org_id=org_id)

    async def set_operator(self, org_id: UUID, operator: bool) -> None:
        """Whether its owners run this platform; felt within a second."""
        async with self._database.connection() as connection:
            await _sql.set_operator(connection, operator=operator, org_id=org_id)

    async def set_retention(
        self, org_id: UUID, *, artifact_seconds: int | None, file_seconds: int | None, record_seconds: int | None
    ) -> Row:
        """How long the organisation keeps things; None is as long as the server does. What is there keeps its day,
        but records go by the new clock."""
        async with self._database.connection() as connection:
            return await _sql.set_retention(
                connection,
                artifact_seconds=artifact_seconds,
                file_seconds=file_seconds,
                record_seconds=record_seconds,
                org_id=org_id,
            )

    async def organisation(self, org_id: UUID) -> Row | None:
        async with self._database.connection() as connection:
            return await _sql.organisation(connection, org_id=org_id)

    async def limit(self, org_id: UUID, name: str) -> int | None:
        """One limit of an organisation; None if it has no such limit of its own."""
        row = await self.organisation(org_id)
        value = parse(row["limits"]).get(name) if row else None
        return value if isinstance(value, int) else None

    async def organisations(self) -> list[Row]:
        async with self._database.connection() as connection:
            return await collect(_sql.organisations(connection))

    async def add_key(
        self,
        org_id: UUID,
        *,
        key_id: str,
        secret_hash: bytes,
        last4: str,
        name: str,
        scopes: Sequence[str],
        user_id: UUID | None = None,
        expires_at: datetime | None = None,
        spend_limit_micro: int | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        async with self._database.connection() as connection:
            await _sql.add_key(
                connection,
                key_id=key_id,
                org_id=org_id,
                user_id=user_id,
                name=name,
                secret_hash=secret_hash,
                last4=last4,
                scopes=list(scopes),
                spend_limit_micro=spend_limit_micro,
                limits=dump(limits or {}),
                expires_at=expires_at,
            )

    async def key(self, key_id: str) -> KeyRow | None:
        """A key by its public part, whether or not it still holds."""
        async with self._database.connection() as connection:
            row = await _sql.key(connection, key_id=key_id)
        if row is None:
            return None
        return KeyRow(
            key_id=row["key_id"],
            org_id=row["org_id"],
            user_id=row["user_id"],
            name=row["name"],
            secret_hash=bytes(row["secret_hash"]),
            scopes=tuple(row["scopes"]),
            limits={**parse(row["org_limits"]), **parse(row["limits"])},
            holds=row["holds"],
            expires_at=row["expires_at"],
            org_name=row["org_name"],
            operator=row["operator"],
        )

    async def keys(self, org_id: UUID | None = None) -> list[Row]:
        """The keys of one organisation that are not revoked, or every key (for administration), oldest first."""
        async with self._database.connection() as connection:
            if org_id is None:
                return await collect(_sql.all_keys(connection))
            return await collect(_sql.keys_of(connection, org_id=org_id))

    async def revoke_key(self, key_id: str, org_id: UUID | None = None, user_id: UUID | None = None) -> bool:
        """Revoke a key everywhere within a second; False if there is no such key (of that organisation, that user)."""
        async with self._database.connection() as connection:
            return await _sql.revoke_key(connection, key_id=key_id, org_id=org_id, user_id=user_id) is not None

    async def used(self, key_ids: Sequence[str]) -> None:
        """Write when keys were last used."""
        async with self._database.connection() as connection:
            await _sql.used_keys(connection, key_ids=list(key_ids))

    async def signing_keys(self, kid: str, secret: bytes) -> list[tuple[str, bytes]]:
        """Every signing key in force, oldest first; the given one is added if there is none."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", BOOTSTRAP_LOCK)
            rows = await collect(_sql.signing_keys(connection))
            if not rows:
                await _sql.add_signing_key(connection, kid=kid, secret=secret)
                return [(kid, secret)]
        return [(row["kid"], bytes(row["secret"])) for row in rows]


async def _add_organisation(
    connection: Connection, name: str, balance_micro: int | None, limits: Mapping[str, Any], *, operator: bool
) -> UUID:
    org_id = uuid4()
    await _sql.add_organisation(
        connection, org_id=org_id, name=name, balance_micro=balance_micro, limits=dump(limits), operator=operator
    )
    return org_id
