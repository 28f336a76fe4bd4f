"""Groups in the store: requests submitted together, all of them or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rushes.domain.request import FINAL, Status
from rushes.store.database import Connection, Database, collect, load_queries
from rushes.store.records import NewRequest, Request
from rushes.store.submits import Entry, KeyReused, Replay, submit_together, why_refused

_sql = load_queries("groups")
_requests = load_queries("requests")


@dataclass(frozen=True, slots=True)
class Group:
    """How a group stands."""

    group_id: UUID
    created_at: datetime
    counts: Mapping[Status, int]
    quote_micro: int
    charge_micro: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_final(self) -> bool:
        return all(status in FINAL for status in self.counts)


@dataclass(frozen=True, slots=True)
class GroupOnce:
    """An idempotency key for a whole group, the fingerprint of its body, and what is kept as the first answer."""

    key: str
    body_hash: bytes
    answer: Callable[[Sequence[Request]], str]


class Groups:
    """Everything the store knows about groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def submit(self, group_id: UUID, news: Sequence[NewRequest], once: GroupOnce | None) -> list[Request]:
        """Admit requests of one organisation and key together, in one transaction; durable on return, in their order.

        Raises RefusedSubmit when their sum is more than a limit allows; Replay and KeyReused as a single submit does.
        """

        async def work(connection: Connection) -> list[Request]:
            org_id = news[0].org_id
            if once is not None:
                await _take_key(connection, org_id, group_id, once)
            made = await submit_together(connection, [Entry(new) for new in news])
            if not made:
                raise await why_refused(connection, news)  # which undoes the key, too
            requests = [made[new.request_id] for new in news]
            if once is not None:
                await _requests.remember_answers(
                    connection, org_ids=[org_id], keys=[once.key], answers=[once.answer(requests)]
                )
            return requests

        return await self._database.repeated(work)

    async def get(self, org_id: UUID, group_id: UUID) -> Group | None:
        async with self._database.connection() as connection:
            rows = await collect(_sql.group_counts(connection, org_id=org_id, group_id=group_id))
        if not rows:
            return None
        return Group(
            group_id=group_id,
            created_at=min(row["created_at"] for row in rows),
            counts={Status(row["status"]): row["n"] for row in rows},
            quote_micro=sum(row["quote_micro"] for row in rows),
            charge_micro=sum(row["charge_micro"] for row in rows),
        )

    async def unfinished(self, org_id: UUID, group_id: UUID) -> list[UUID]:
        """The ids of its requests that are not final, those that wait first."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.unfinished_of_group(connection, org_id=org_id, group_id=group_id))
        return [row["request_id"] for row in rows]


async def _take_key(connection: Connection, org_id: UUID, group_id: UUID, once: GroupOnce) -> None:
    """Take an idempotency key for the group; a racing holder is waited for. Raises Replay or KeyReused."""
    taken = await collect(
        _requests.remember_submits(
            connection, org_ids=[org_id], keys=[once.key], body_hashes=[once.body_hash], request_ids=[group_id]
        )
    )
    if taken:
        return
    row = await _requests.remembered(connection, org_id=org_id, key=once.key)
    if row is None or bytes(row["body_hash"]) != once.body_hash:
        raise KeyReused
    raise Replay(row["answer"])
