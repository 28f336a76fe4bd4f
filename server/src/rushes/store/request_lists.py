"""Lists of an organisation's requests: filters, search, a capped total; and the index that search uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rushes.domain.request import Status
from rushes.store.database import Connection, Database, collect, load_queries
from rushes.store.records import Filters, Request

_sql = load_queries("lists")

MOST = 10_000
"""A total is counted so far."""
SETTLED = timedelta(seconds=15)
"""Older than any transaction that can still be open: our statements are ended after ten seconds."""
BATCH = 2_000
BATCHES_IN_A_ROW = 10
_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
_ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
_LAST = UUID(int=2**128 - 1)
_NONE = UUID(int=0)
_FAILED = {Status.FAILED.value, Status.CANCELLED.value}
_WAITING = {Status.QUEUED.value}
_RUNNING = {Status.DISPATCHED.value, Status.PROCESSING.value}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, and how many match in all: exactly, or `MOST` and `capped`."""

    requests: list[Request]
    total: int
    capped: bool


class RequestLists:
    """Reads of many requests at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(
        self,
        org_id: UUID,
        filters: Filters,
        *,
        limit: int,
        offset: int = 0,
        before: tuple[datetime, UUID] | None = None,
    ) -> Page:
        """Newest first. With words, the newest 10,000 that have them are looked at (again from each cursor)."""
        values: dict[str, Any] = {
            "org_id": org_id,
            "model": filters.model,
            "statuses": list(filters.statuses) if filters.statuses else None,
            "group_id": filters.group_id,
            "id_from": filters.id_from,
            "id_to": filters.id_to,
            "most": MOST + 1,
        }
        async with self._database.transaction() as connection:
            # Which index is right depends on what is asked for, so each question is planned for itself.
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            values["ids"] = await _ids(connection, org_id, filters)
            at, name = before or (None, None)
            if filters.words is not None or filters.metadata:
                values |= _search(filters)
                place = {"before_at": at or _FOREVER, "before_id": name or _LAST}
                total = await _sql.found(connection, **values)
                # Where few have the words, the index names them all; where many do, the newest fill the page soon.
                deep = MOST + 1 if total <= MOST or _narrows(filters) else offset + limit
                rows = await collect(
                    _sql.searched(connection, **values, **place, deep=deep, limit=limit, offset=offset)
                )
            else:
                values |= _flags(filters)
                place = {"before_at": at, "before_id": name}
                rows = await collect(_sql.listed(connection, **values, **place, limit=limit, offset=offset))
                total = await _sql.counted(connection, **values)
        return Page([Request.of(row) for row in rows], min(total, MOST), total > MOST)

    async def index(self) -> None:
        """Take new requests into the search index and forget those that are gone; maintenance calls this."""
        for _ in range(BATCHES_IN_A_ROW):
            async with self._database.connection() as connection:
                moved = await _sql.index_terms(connection, age=SETTLED, batch=BATCH)
            if moved is None:
                break
        async with self._database.connection() as connection:
            await _sql.drop_terms(connection)


def _narrows(filters: Filters) -> bool:
    """Whether a request that has the words may still be left out."""
    others = (filters.model, filters.statuses, filters.group_id, filters.id_from, filters.sha256, filters.seed)
    return any(other is not None for other in others)


def _flags(filters: Filters) -> dict[str, Any]:
    statuses = set(filters.statuses or ())
    return {
        "failed_only": bool(statuses) and statuses <= _FAILED,
        "waiting_only": bool(statuses) and statuses <= _WAITING,
        "since": filters.since,
        "until": filters.until,
    }


def _search(filters: Filters) -> dict[str, Any]:
    named = filters.named or (_LAST, _NONE)  # nobody is between these
    return {
        "words": None if filters.words is None else filters.words.replace("'", " ").replace("\\", " "),
        "exact": _exact(filters.metadata) if filters.metadata else None,
        "named_from": named[0],
        "named_to": named[1],
        "since": filters.since or _ALWAYS,
        "until": filters.until or _FOREVER,
    }


def _exact(metadata: Mapping[str, str]) -> str:
    """A tsquery of the lexemes that terms_of (migration 0003) makes of metadata."""
    lexemes = [f"m:{key}={value}"[:500] for key, value in metadata.items()]
    return " & ".join("'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'" for lexeme in lexemes)


async def _ids(connection: Connection, org_id: UUID, filters: Filters) -> list[UUID] | None:
    """The requests that a filter with an index elsewhere leaves; None without such a filter."""
    found: list[set[UUID]] = []
    if filters.sha256 is not None:
        rows = await collect(_sql.with_sha256(connection, org_id=org_id, sha256=filters.sha256))
        found.append({row["request_id"] for row in rows})
    if filters.seed is not None:
        span = {"since": filters.since or _ALWAYS, "until": filters.until or _FOREVER}
        rows = await collect(_sql.with_seed(connection, org_id=org_id, seed=str(filters.seed), **span))
        found.append({row["request_id"] for row in rows})
    if filters.statuses and set(filters.statuses) <= _RUNNING:
        rows = await collect(_sql.running_ids(connection, org_id=org_id))
        found.append({row["request_id"] for row in rows})
    return list(set[UUID].intersection(*found)) if found else None
