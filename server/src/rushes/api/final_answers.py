"""Answers about requests that have ended, kept as the bytes that are sent: who polls then polls more than once."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson

from rushes.store.records import Request

MAX_KEPT = 4096
MAX_BYTES = 16_384
"""A longer answer is written anew each time, so that what is kept stays under 64 MiB."""


class FinalAnswers:
    """Nothing in such an answer changes but the end of its links; a record that changed is another object (Watch)."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[Request, int, bytes]] = {}

    def of(self, request: Request, links_end: int, record: Callable[[], dict[str, Any]]) -> bytes:
        """The record of a final request as JSON; the same bytes for the same object and end of its links."""
        kept = self._kept.get(request.request_id)
        if kept is not None and kept[0] is request and kept[1] == links_end:
            return kept[2]
        answer = orjson.dumps(record())
        if len(answer) <= MAX_BYTES:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[request.request_id] = (request, links_end, answer)
        return answer
