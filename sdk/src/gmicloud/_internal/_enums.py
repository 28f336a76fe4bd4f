"""The words of the wire."""

from enum import StrEnum


class RequestStatus(StrEnum):
    """Where a request stands. A StrEnum, so `status == "success"` holds and it prints as the word."""

    CREATED = "created"
    QUEUED = "queued"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL: frozenset[str] = frozenset({RequestStatus.SUCCESS, RequestStatus.FAILED, RequestStatus.CANCELLED})
