"""Rows of the store as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import orjson

from rushes.domain.request import FINAL, Status
from rushes.store.database import Row


def parse(text: str | None) -> Any:
    """The value of a json column."""
    return None if text is None else orjson.loads(text)


def dump(value: Any) -> str:
    """JSON text for a json column."""
    return orjson.dumps(value).decode()


@dataclass(frozen=True, slots=True)
class Request:
    """One request as stored. Times are aware datetimes of the database's clock."""

    request_id: UUID
    org_id: UUID
    user_id: UUID | None
    key_id: str | None
    model: str
    engine: str
    lane: str
    status: Status
    priority: int
    start_tag: float
    attempt: int
    tries: int
    qworker_id: UUID | None
    progress: int
    stage: str | None
    remembered: str | None
    payload: Mapping[str, Any]
    params: Mapping[str, Any]
    plan: Mapping[str, Any]
    media: list[dict[str, Any]]
    fault: Mapping[str, Any] | None
    warnings: list[str]
    metadata: Mapping[str, Any] | None
    webhook_url: str | None
    webhook_events: list[str]
    expires_after: int | None
    outcome: dict[str, Any] | None
    error: str | None
    error_code: str | None
    retryable: bool | None
    quote_micro: int
    charge_micro: int | None
    event_n: int
    created_at: datetime
    queued_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    purged_at: datetime | None
    group_id: UUID | None

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            request_id=row["request_id"],
            org_id=row["org_id"],
            user_id=row["user_id"],
            key_id=row["key_id"],
            model=row["model"],
            engine=row["engine"],
            lane=row["lane"],
            status=Status(row["status"]),
            priority=row["priority"],
            start_tag=row["start_tag"],
            attempt=row["attempt"],
            tries=row["tries"],
            qworker_id=row["qworker_id"],
            progress=row["progress"],
            stage=row["stage"],
            remembered=row["remembered"],
            payload=parse(row["payload"]),
            params=parse(row["params"]),
            plan=parse(row["plan"]),
            media=parse(row["media"]),
            fault=parse(row["fault"]),
            warnings=parse(row["warnings"]),
            metadata=parse(row["metadata"]),
            webhook_url=row["webhook_url"],
            webhook_events=row["webhook_events"],
            expires_after=row["expires_after"],
            outcome=parse(row["outcome"]),
            error=row["error"],
            error_code=row["error_code"],
            retryable=row["retryable"],
            quote_micro=row["quote_micro"],
            charge_micro=row["charge_micro"],
            event_n=row["event_n"],
            created_at=row["created_at"],
            queued_at=row["queued_at"],
            updated_at=row["updated_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            expires_at=row["expires_at"],
            purged_at=row["purged_at"],
            group_id=row["group_id"],
        )


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a submit stores: checked, priced, planned. `request_id` is drawn by the caller."""

    request_id: UUID
    org_id: UUID
    user_id: UUID | None
    key_id: str | None
    model: str
    engine: str
    lane: str
    payload: Mapping[str, Any]
    params: Mapping[str, Any]
    plan: Mapping[str, Any]
    quote_micro: int
    media: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    fault: Mapping[str, Any] | None = None
    warnings: list[str] = field(default_factory=list[str])
    metadata: Mapping[str, Any] | None = None
    webhook_url: str | None = None
    webhook_events: list[str] = field(default_factory=list[str])
    expires_after: int | None = None
    priority: int = 0
    cost: float = 1.0
    """Work for fair queueing: seconds of video."""
    max_queued: int | None = None
    group_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewArtifact:
    """A stored and complete file that a finish is about to name."""

    artifact_id: UUID
    kind: str
    path: str
    content_type: str
    size_bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ends. Success carries an outcome and artifacts, the others an error."""

    status: Status
    error: str | None = None
    error_code: str | None = None
    retryable: bool | None = None
    outcome: Mapping[str, Any] | None = None
    artifacts: tuple[NewArtifact, ...] = ()
    seconds: float = 0.0
    """Seconds of video delivered."""
    report: Mapping[str, Any] | None = None
    cause: str | None = None
    """Of a failure: what counts against the lane's engine (domain/lane.py)."""


@dataclass(frozen=True, slots=True)
class History:
    """Medians of a model's latest successes, from start to finish."""

    run_seconds: float
    pace: float | None
    """The same for each megapixel and second of video; None when no size is known."""
    low: float = 1.0
    high: float = 1.0
    """Eight of ten took between `low` and `high` times the median."""
    runs: int = 0
    """How many successes this was learnt from."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of requests is narrowed to; None is no narrowing."""

    model: str | None = None
    statuses: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    id_from: UUID | None = None
    """The first id of a range, and the last one; both or none."""
    id_to: UUID | None = None
    words: str | None = None
    """Words of the prompt, each also as the beginning of one."""
    named: tuple[UUID, UUID] | None = None
    """With words: requests whose ids are in this range are meant, too."""
    metadata: Mapping[str, str] | None = None
    """Keys of the metadata and what they must be, as text."""
    sha256: str | None = None
    """Of an artifact."""
    seed: int | None = None
    """What a request was made with, given or drawn."""
    group_id: UUID | None = None
