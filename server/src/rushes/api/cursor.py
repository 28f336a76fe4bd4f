"""Cursors of lists that are ordered by time and id: opaque texts that say where the next page begins."""

import base64
from datetime import datetime
from uuid import UUID

from rushes.domain.errors import ApiError


def written(at: datetime, row_id: UUID) -> str:
    """The cursor after a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def read(text: str) -> tuple[datetime, UUID]:
    """The row a cursor stands for. Raises ApiError 400 for what no page gave."""
    try:
        padded = text + "=" * (-len(text) % 4)
        at, _, row_id = base64.urlsafe_b64decode(padded).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a cursor's time names its zone")
        return moment, UUID(row_id)
    except ValueError as error:
        raise ApiError("invalid_request", "Invalid cursor, give next_cursor as it came", param="cursor") from error
