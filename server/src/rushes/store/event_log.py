"""The events of an organisation as one log: read by position, or by what is new since a snapshot.

Why snapshots: transactions do not commit in the order in which they began, so no number drawn inside them tells a
reader how far the log is complete. decisions/0007-order-of-events.md has the reasoning.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries
from rushes.store.records import Request

_sql = load_queries("events")

PAGE = 200
MAX_RUNNING = 1_000
"""How many running requests are followed at once in one process."""
_POSITION = re.compile(r"([1-9]\d{0,17})(?:-([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})-(\d{1,9}))?")
_NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event, and what its place in the log is made of."""

    request_id: UUID
    n: int
    status: str
    attempt: int
    at: datetime
    written_by: int
    model: str

    @property
    def event_id(self) -> str:
        return f"evt_{self.request_id}_{self.n}"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log: every event of the transactions before `written_by` lies behind it, and of that one those up
    to an event."""

    written_by: int
    request_id: UUID = _NIL
    n: int = 0

    def __str__(self) -> str:
        return str(self.written_by) if not self.n else f"{self.written_by}-{self.request_id}-{self.n}"

    @classmethod
    def after(cls, event: Event) -> Self:
        return cls(event.written_by, event.request_id, event.n)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for a text that is no position."""
        match = _POSITION.fullmatch(text)
        if match is None:
            return None
        number, request_id, n = match.groups()
        return cls(int(number)) if request_id is None else cls(int(number), UUID(request_id), int(n))


BEGINNING = Position(1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a look at the database shows: PostgreSQL's text, and the oldest transaction that is still open."""

    text: str
    oldest: int

    @property
    def position(self) -> Position:
        """From here a later reader misses nothing; it may see some events again."""
        return Position(self.oldest)


class EventLog:
    """Reads of the event log; the writes are those of requests.sql, each in the transaction of its status."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def snapshot(self) -> Snapshot:
        async with self._database.connection() as connection:
            row = await _sql.snapshot(connection)
        return Snapshot(row["snapshot"], row["oldest"])

    async def news(
        self, org_id: UUID, seen: Snapshot | Position, now: Snapshot, model: str | None = None
    ) -> AsyncIterator[list[Event]]:
        """What `seen` did not show and `now` does, page by page, each event once."""
        place = seen if isinstance(seen, Position) else BEGINNING
        text = f"{seen.written_by}:{seen.written_by}:" if isinstance(seen, Position) else seen.text
        while True:
            async with self._database.connection() as connection:
                rows = await collect(
                    _sql.news(connection, org_id=org_id, seen=text, now=now.text, model=model, **_after(place))
                )
            events = [_event(row) for row in rows]
            if events:
                yield events
            if len(events) < PAGE:
                return
            place = Position.after(events[-1])

    async def settled(self, org_id: UUID, after: Position, model: str | None, limit: int) -> list[Event]:
        """A page of the log in its lasting order. Events younger than an open transaction are not in it yet."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.settled(connection, org_id=org_id, model=model, **_after(after, limit)))
        return [_event(row) for row in rows]

    async def stirred(self, org_ids: Sequence[UUID], seen: Snapshot) -> set[UUID]:
        """Which of some organisations have events that `seen` did not show."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.stirred(connection, org_ids=list(org_ids), seen=seen.text))
        return {row["org_id"] for row in rows}

    async def running(self, org_ids: Sequence[UUID]) -> list[Request]:
        """What runs now for some organisations."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.running_of(connection, org_ids=list(org_ids), limit=MAX_RUNNING))
        return [Request.of(row) for row in rows]

    async def requests(self, org_id: UUID, request_ids: Sequence[UUID]) -> dict[UUID, Request]:
        """Some requests of an organisation, by id."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.requests_named(connection, org_id=org_id, request_ids=list(request_ids)))
        return {row["request_id"]: Request.of(row) for row in rows}

    async def settle_restored(self) -> None:
        """After a restore into another server its transactions are numbered anew: put the old events before them."""
        async with self._database.transaction() as connection:
            if await _sql.from_another_time(connection):
                await _sql.settle_restored(connection)


def _after(place: Position, limit: int = PAGE) -> dict[str, object]:
    return {"after_by": place.written_by, "after_id": place.request_id, "after_n": place.n, "limit": limit}


def _event(row: Row) -> Event:
    return Event(**dict(row))
