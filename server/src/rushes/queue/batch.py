"""Batch submit: many requests checked one by one and admitted together, or none of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rushes.domain.errors import ApiError, InvalidPayload
from rushes.queue.submit import Options, Prepared, Submit, Submitter, new_request
from rushes.store.groups import Group, GroupOnce, Groups
from rushes.store.records import Request
from rushes.store.requests import Requests
from rushes.store.submits import KeyReused, RefusedSubmit

MAX_ITEMS = 1_000
BREATH = 20
"""So many items are checked before others have a turn: a thousand take most of a second."""
PASSING = 500
"""Statuses from here on say nothing about the item: it may be tried again."""


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a batch, its options checked."""

    model: str
    payload: Mapping[str, Any]
    options: Options


class BatchFaults(Exception):
    """Some items cannot be; `faults` says which, by index, and why."""

    def __init__(self, faults: Mapping[int, ApiError], count: int) -> None:
        super().__init__(f"{len(faults)} of {count} requests are at fault")
        self.faults = faults
        self.count = count


class Batch:
    """The use cases behind requests:batch and groups."""

    def __init__(self, submit: Submit, groups: Groups, requests: Requests) -> None:
        self._submit = submit
        self._groups = groups
        self._requests = requests

    async def prepare(self, submitter: Submitter, items: Sequence[Item], hops: int = 0) -> list[Prepared]:
        """Check every item; nothing is stored unless all are good. Raises BatchFaults, or what has nothing to do with
        an item (a storage that does not answer)."""
        faults: dict[int, ApiError] = {}
        for index, item in enumerate(items):
            await _breathe(index)
            try:
                await self._submit.prepare(submitter, item.model, item.payload, dry_run=True, hops=hops)
            except InvalidPayload as error:
                faults[index] = error.as_api_error()
            except ApiError as error:
                if error.row.status >= PASSING:
                    raise
                faults[index] = error
        if faults:
            raise BatchFaults(faults, len(items))
        prepared: list[Prepared] = []
        for index, item in enumerate(items):
            await _breathe(index)
            prepared.append(await self._submit.prepare(submitter, item.model, item.payload, hops=hops))
        return prepared

    async def admit(
        self,
        submitter: Submitter,
        group_id: UUID,
        items: Sequence[Item],
        prepared: Sequence[Prepared],
        once: GroupOnce | None,
    ) -> list[Request]:
        """Store them together; durable on return. Raises ApiError 402, 422 or 429, and Replay."""
        news = [
            new_request(submitter, each, item.options, group_id) for item, each in zip(items, prepared, strict=True)
        ]
        try:
            return await self._groups.submit(group_id, news, once)
        except RefusedSubmit as error:
            raise ApiError(error.code, error.text) from error
        except KeyReused as error:
            raise ApiError("idempotency_mismatch") from error

    async def group(self, org_id: UUID, group_id: UUID) -> Group | None:
        return await self._groups.get(org_id, group_id)

    async def cancel(self, org_id: UUID, group_id: UUID) -> list[UUID]:
        """Cancel what is not final, what waits first; the ids of those that were met unfinished."""
        met = await self._groups.unfinished(org_id, group_id)
        for request_id in met:
            await self._requests.cancel(org_id, request_id)
        return met


async def _breathe(index: int) -> None:
    if index % BREATH == 0:
        await asyncio.sleep(0)
