"""The small port through which a qworker reaches the queue. store.requests.Requests fulfils it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from rushes.store.records import Ending, Request


class Queue(Protocol):
    """Claim, beat, progress, finish: the verbs of an attempt, every one but claim under its fence."""

    async def claim(
        self,
        qworker_id: UUID,
        lanes: Sequence[str],
        slots: int,
        lease: timedelta,
        *,
        ready: Sequence[str] | None = None,
        refused: Sequence[str] = (),
    ) -> list[Request]: ...
    async def begin(self, request_id: UUID, attempt: int, stage: str) -> bool: ...
    async def progress(self, request_id: UUID, attempt: int, progress: int, stage: str) -> None: ...
    async def note_stages(self, request_id: UUID, attempt: int, stages: list[dict[str, Any]]) -> None: ...
    async def remember(self, request_id: UUID, attempt: int, ref: str) -> bool: ...
    async def finish(self, request_id: UUID, attempt: int, ending: Ending) -> bool: ...
    async def retry(
        self, request_id: UUID, attempt: int, delay: timedelta, error: str, *, cause: str | None = None
    ) -> bool: ...
    async def hand_back(
        self, request_id: UUID, attempt: int, *, unsupported: str | None = None, delay: timedelta = ...
    ) -> bool: ...
