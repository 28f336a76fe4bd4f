"""Natural batching of submits: while some are being stored, those that come in wait and then go together.

A lone submit waits for nothing. Under load one COMMIT, one fsync and one NOTIFY serve up to 64 requests, and the batch
grows by itself with the time that the one before it takes; a fixed window would only add its length to every reply.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

from rushes.store.database import Connection, Database, DatabaseUnavailable
from rushes.store.records import NewRequest, Request
from rushes.store.requests import Requests
from rushes.store.submits import AnswerOf, Entry, Once, submit_together

BATCHES = 2
"""In flight at once: one is on its way to the disk while the next is being put together."""
BATCH_SIZE = 64
MAX_WAITING = 2_000
"""More would wait for longer than a client is willing to."""


class LineFull(DatabaseUnavailable):
    """More submits wait than can be stored in good time; nothing happened."""


class SubmitBatch:
    """Admits requests as `Requests` does, one by one or together; every reply comes after its COMMIT."""

    def __init__(self, database: Database, requests: Requests) -> None:
        self._database = database
        self._requests = requests
        self._waiting: deque[tuple[Entry, asyncio.Future[Request]]] = deque()
        self._batches: set[asyncio.Task[None]] = set()

    async def submit(self, new: NewRequest) -> Request:
        """As Requests.submit; raises LineFull as well."""
        return await self._put(Entry(new))

    async def submit_once(self, new: NewRequest, key: str, body_hash: bytes, answer: AnswerOf) -> Request:
        """As Requests.submit_once; raises LineFull as well."""
        return await self._put(Entry(new, Once(key, body_hash, answer)))

    async def _put(self, entry: Entry) -> Request:
        if len(self._waiting) >= MAX_WAITING:
            raise LineFull(f"{MAX_WAITING} submits are waiting")
        stored: asyncio.Future[Request] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, stored))
        self._flush()
        return await stored

    def _flush(self) -> None:
        while self._waiting and len(self._batches) < BATCHES:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting)))]
            task = asyncio.create_task(self._store(batch), name=f"batch of {len(batch)} submits")
            self._batches.add(task)
            task.add_done_callback(self._stored)

    def _stored(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._flush()

    async def _store(self, batch: Sequence[tuple[Entry, asyncio.Future[Request]]]) -> None:
        """Store a batch and answer each of its submits; what the others did not carry is tried alone."""
        try:
            made = await self._together([entry for entry, _ in batch])
        except DatabaseUnavailable as error:
            for _, stored in batch:
                _fail(stored, error)
            return
        alone: list[tuple[Entry, asyncio.Future[Request]]] = []
        for entry, stored in batch:
            request = made.get(entry.new.request_id)
            if request is None:
                alone.append((entry, stored))
            elif not stored.done():
                stored.set_result(request)
        await asyncio.gather(*(self._alone(entry, stored) for entry, stored in alone))

    async def _together(self, entries: Sequence[Entry]) -> dict[UUID, Request]:
        """The requests that one transaction made; none if an error undid it. Raises DatabaseUnavailable where the
        COMMIT was on its way, so that it may stand."""
        committing = False

        async def work(connection: Connection) -> dict[UUID, Request]:
            nonlocal committing
            committing = False
            made = await submit_together(connection, entries)
            committing = True
            return made

        try:
            return await self._database.repeated(work)
        except Exception:  # one entry's fault is not its neighbours': each meets its own when it is tried alone
            if committing:
                raise
            return {}

    async def _alone(self, entry: Entry, stored: asyncio.Future[Request]) -> None:
        new, once = entry.new, entry.once
        try:
            if once is None:
                request = await self._requests.submit(new)
            else:
                request = await self._requests.submit_once(new, once.key, once.body_hash, once.answer)
        except Exception as error:
            _fail(stored, error)
        else:
            if not stored.done():
                stored.set_result(request)


def _fail(stored: asyncio.Future[Request], error: Exception) -> None:
    if not stored.done():
        stored.set_exception(error)
