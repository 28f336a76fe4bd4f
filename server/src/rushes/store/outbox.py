"""The outbox: events that wait to be sent to customers, and what came of each try."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries

_sql = load_queries("outbox")


@dataclass(frozen=True, slots=True)
class Event:
    """One event that a sender has claimed. `tries` counts this one and is the fence of what is written about it."""

    delivery_id: UUID
    event_id: str
    """The webhook-id: the same wherever the event goes."""
    request_id: UUID | None
    """None for the test of an endpoint."""
    org_id: UUID
    status: str
    """The status that the request took, whatever it has now; "test" for a test."""
    url: str
    endpoint_id: UUID | None
    """None when it goes to the request's own webhook_url."""
    tries: int
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class InFlight:
    """What one sender is sending: how many more each busy host and organisation may have, and which endpoints rest."""

    per_host: int
    per_org: int
    hosts: Mapping[str, int] = field(default_factory=dict[str, int])
    """In flight by host."""
    orgs: Mapping[UUID, int] = field(default_factory=dict[UUID, int])
    resting: Set[tuple[UUID, str]] = field(default_factory=frozenset[tuple[UUID, str]])


class Outbox:
    """Claims of due events, and the log of deliveries for their owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, room: int, lease: timedelta, flight: InFlight) -> list[Event]:
        """Take up to `room` due events that fit beside those in flight; each becomes due again when the lease ends."""
        async with self._database.connection() as connection:
            rows = await collect(
                _sql.claim_due(
                    connection,
                    room=room,
                    lease=lease,
                    per_host=flight.per_host,
                    per_org=flight.per_org,
                    busy_hosts=list(flight.hosts),
                    host_room=[flight.per_host - count for count in flight.hosts.values()],
                    full_hosts=[host for host, count in flight.hosts.items() if count >= flight.per_host],
                    busy_orgs=list(flight.orgs),
                    org_room=[flight.per_org - count for count in flight.orgs.values()],
                    full_orgs=[org_id for org_id, count in flight.orgs.items() if count >= flight.per_org],
                    resting=[f"{org_id} {host}" for org_id, host in flight.resting],
                )
            )
        return [Event.of(row) for row in rows]

    async def tried(
        self, event: Event, *, delivered: bool, again: timedelta | None, status: int | None, answer: str
    ) -> None:
        """Keep what came of a try: delivered, to be tried again after a while, or (`again` None) given up.

        An endpoint that let all tries of an event fail, and took nothing since that event, is disabled.
        """
        async with self._database.connection() as connection:
            await _sql.tried(
                connection,
                delivery_id=event.delivery_id,
                tries=event.tries,
                delivered=delivered,
                again=again,
                last_status=status,
                last_answer=answer,
            )

    async def deliveries(self, org_id: UUID, request_id: UUID) -> list[Row]:
        """The rows of one request's events, oldest first."""
        async with self._database.connection() as connection:
            return await collect(_sql.deliveries_of(connection, org_id=org_id, request_id=request_id))

    async def resend(self, org_id: UUID, request_id: UUID, event_id: str) -> list[Row]:
        """Make an event due now wherever it went, with all its tries before it; empty if it is not theirs."""
        async with self._database.connection() as connection:
            return await collect(_sql.resend(connection, org_id=org_id, request_id=request_id, event_id=event_id))

    async def resend_one(self, org_id: UUID, delivery_id: UUID) -> Row | None:
        """Make one delivery due now, with all its tries before it; None if it is not theirs, or a test."""
        async with self._database.connection() as connection:
            return await _sql.resend_one(connection, org_id=org_id, delivery_id=delivery_id)

    async def delivery(self, org_id: UUID, delivery_id: UUID) -> Row | None:
        async with self._database.connection() as connection:
            return await _sql.delivery(connection, org_id=org_id, delivery_id=delivery_id)

    async def listed(
        self,
        org_id: UUID,
        *,
        state: str | None,
        endpoint_id: UUID | None,
        request_id: UUID | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Row]:
        """A page of an organisation's deliveries, newest first. `state`: waiting, delivered or given_up."""
        async with self._database.connection() as connection:
            return await collect(
                _sql.deliveries(
                    connection,
                    org_id=org_id,
                    state=state,
                    endpoint_id=endpoint_id,
                    request_id=request_id,
                    before_at=before[0] if before else None,
                    before_id=before[1] if before else None,
                    limit=limit,
                )
            )

    async def add_test(self, org_id: UUID, event_id: str, url: str, endpoint_id: UUID) -> Event:
        """A test of an endpoint, claimed by the caller, who sends it and says what came of it."""
        async with self._database.connection() as connection:
            row = await _sql.add_test(connection, event_id=event_id, org_id=org_id, url=url, endpoint_id=endpoint_id)
        return Event.of(row)

    async def forget_old_tests(self) -> None:
        """Drop the tests of more than a week ago."""
        async with self._database.connection() as connection:
            await _sql.forget_old_tests(connection)
