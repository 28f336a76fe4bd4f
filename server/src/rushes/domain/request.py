"""The statuses of a request, and the only table of legal moves between them."""

from enum import StrEnum


class Status(StrEnum):
    """The wire's seven words. created: the row exists; queued: can be claimed; dispatched: claimed, nothing started;
    processing: the engine runs; the other three are final."""

    CREATED = "created"
    QUEUED = "queued"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({Status.SUCCESS, Status.FAILED, Status.CANCELLED})

# dispatched|processing -> queued is a rescue, a hand-back or a retry; whatever is not final may be cancelled.
LEGAL: dict[Status, frozenset[Status]] = {
    Status.CREATED: frozenset({Status.QUEUED, Status.CANCELLED}),
    Status.QUEUED: frozenset({Status.DISPATCHED, Status.FAILED, Status.CANCELLED}),
    Status.DISPATCHED: frozenset({Status.PROCESSING, Status.QUEUED, Status.FAILED, Status.CANCELLED}),
    Status.PROCESSING: frozenset({Status.SUCCESS, Status.FAILED, Status.QUEUED, Status.CANCELLED}),
    Status.SUCCESS: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}


def is_legal(old: Status, new: Status) -> bool:
    """Whether a request may move from one status to another."""
    return new in LEGAL[old]
