"""Requests in the store: submit, claim, renew, conclude, read. The truth of the queue."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from rushes.domain.lane import SWAP_SECONDS
from rushes.domain.request import FINAL, Status
from rushes.moments import moment
from rushes.store.database import Connection, Database, Row, collect, load_queries
from rushes.store.lanes import note_failure
from rushes.store.records import Ending, History, NewRequest, Request, dump
from rushes.store.submits import AnswerOf, Entry, KeyReused, Once, submit_together, why_not

_sql = load_queries("requests")
_claims = load_queries("claims")
_elsewhere = load_queries("work_elsewhere")

RUNNING = (Status.DISPATCHED, Status.PROCESSING)
NOT_FINAL = tuple(status for status in Status if status not in FINAL)


class Requests:
    """Everything the store knows about requests. Every method names the organisation or carries the fence."""

    def __init__(self, database: Database, *, keep_seconds: int) -> None:
        self._database = database
        self._keep_seconds = keep_seconds

    # -- submit ---------------------------------------------------------------------------------------------------

    async def submit(self, new: NewRequest) -> Request:
        """Admit one request; durable on return. Raises RefusedSubmit when a limit says no."""
        return await self._submit(Entry(new))

    async def submit_once(self, new: NewRequest, key: str, body_hash: bytes, answer: AnswerOf) -> Request:
        """Admit one request under an idempotency key; `answer(request)` is kept as the first answer.

        Raises Replay with the first answer when the key was used for the same body, KeyReused for another body. A
        racing call with the same key waits for the first. A refusal does not use up the key.
        """
        return await self._submit(Entry(new, Once(key, body_hash, answer)))

    async def _submit(self, entry: Entry) -> Request:
        async def work(connection: Connection) -> Request:
            request = (await submit_together(connection, [entry])).get(entry.new.request_id)
            if request is None:
                raise await why_not(connection, entry)
            return request

        return await self._database.repeated(work)

    async def replayed(self, org_id: UUID, key: str, body_hash: bytes) -> str | None:
        """The first answer of an idempotency key, or None. Raises KeyReused for another body."""
        async with self._database.connection() as connection:
            row = await _sql.remembered(connection, org_id=org_id, key=key)
        if row is None:
            return None
        if bytes(row["body_hash"]) != body_hash:
            raise KeyReused
        return row["answer"]

    async def keep_answer(self, org_id: UUID, key: str, body_hash: bytes, answer: str) -> bool:
        """Keep the first answer of a call that is no submit; False when the idempotency key has one already."""
        async with self._database.connection() as connection:
            kept = await _sql.keep_answer(connection, org_id=org_id, key=key, body_hash=body_hash, answer=answer)
        return kept is not None

    # -- the worker's side (worker/queue_port.py) -----------------------------------------------------------------

    async def claim(
        self,
        qworker_id: UUID,
        lanes: Sequence[str],
        slots: int,
        lease: timedelta,
        *,
        ready: Sequence[str] | None = None,
        refused: Sequence[str] = (),
    ) -> list[Request]:
        """Take up to `slots` (64 at most) queued requests of `lanes`, best first; an empty list if none waits.

        `ready` are the lanes that need no loading (None: all); another comes after them, unless it has been neglected
        for twice the time its loading takes. Requests for the models `refused` are left. Nothing comes from a lane that
        is held, nor to a qworker that was told to pause.

        Each is the caller's until the lease ends. After that another qworker may hold a newer attempt, and every write
        under the old number changes nothing. Raises DatabaseUnavailable; a claim may then have happened, its lease
        will end.
        """
        async with self._database.connection() as connection:
            rows = await collect(
                _claims.claim(
                    connection,
                    lanes=list(lanes),
                    slots=slots,
                    qworker_id=qworker_id,
                    lease=lease,
                    ready=None if ready is None else list(ready),
                    refused=list(refused),
                    swap_seconds=SWAP_SECONDS,
                )
            )
        return [Request.of(row) for row in rows]

    async def next_due(self, lanes: Sequence[str]) -> float | None:
        """Seconds until the first waiting request of `lanes` that was put off may be claimed; None if there is none."""
        async with self._database.connection() as connection:
            return await _claims.next_due(connection, lanes=list(lanes))

    async def begin(self, request_id: UUID, attempt: int, stage: str) -> bool:
        """dispatched -> processing, durable: were it lost in a crash, a finish would skip a status.

        True also when an earlier try of this very call had committed; False if the attempt is no longer current.
        """
        async with self._database.connection() as connection:
            row = await _sql.begin(connection, stage=stage, request_id=request_id, attempt=attempt)
        return row is not None or await self._stands(request_id, attempt, Status.PROCESSING)

    async def progress(self, request_id: UUID, attempt: int, progress: int, stage: str) -> None:
        """Write the latest progress; lost in a crash of PostgreSQL, which is fine."""
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")
            await _sql.progress(connection, progress=progress, stage=stage, request_id=request_id, attempt=attempt)

    async def note_stages(self, request_id: UUID, attempt: int, stages: list[dict[str, Any]]) -> None:
        """Keep when each stage of an attempt began."""
        async with self._database.connection() as connection:
            await _sql.note_stages(connection, stages=dump(stages), request_id=request_id, attempt=attempt)

    async def remember(self, request_id: UUID, attempt: int, ref: str) -> bool:
        """Keep an engine's remote id; durable on return. False if the attempt is no longer current.

        Where the request has ended meanwhile, what is known now is what will be stopped (store/work_elsewhere.py).
        """
        async with self._database.connection() as connection:
            if await _sql.remember(connection, ref=ref, request_id=request_id, attempt=attempt):
                return True
            # A statement of its own: the one before may have waited for the end, whose row it could not see.
            await _elsewhere.learnt(connection, ref=ref, request_id=request_id, attempt=attempt)
        return False

    async def renew(self, held: Sequence[tuple[UUID, int]], lease: timedelta) -> set[tuple[UUID, int]]:
        """Renew every lease held, in one statement; the attempts that are still the caller's."""
        async with self._database.connection() as connection:
            rows = await collect(
                _sql.renew(connection, lease=lease, request_ids=[h[0] for h in held], attempts=[h[1] for h in held])
            )
        return {(row["request_id"], row["attempt"]) for row in rows}

    async def finish(self, request_id: UUID, attempt: int, ending: Ending) -> bool:
        """End a request under the fence, all or nothing.

        True if this attempt's ending stands, also when an earlier try of this very call had committed and only its
        reply was lost. False if another attempt or a cancel holds the request: the caller deletes its artifacts.
        """
        row = await self._conclude(request_id, ending, attempt=attempt, from_statuses=RUNNING)
        moment("finish committed")
        return row is not None or await self._stands(request_id, attempt, ending.status)

    async def hand_back(
        self, request_id: UUID, attempt: int, *, unsupported: str | None = None, delay: timedelta = timedelta(0)
    ) -> bool:
        """Return a request to the queue with its try, because this qworker is going away, its server is busy (for
        `delay`), or it cannot serve it (`unsupported`: in what words). The last one that could counts against the lane.
        """
        cause = None if unsupported is None else "unsupported"
        return await self._requeue(
            request_id, attempt, delay, "handed_back", unsupported, give_try_back=True, cause=cause
        )

    async def is_cancelled(self, request_id: UUID) -> bool:
        """Whether a request that a qworker has lost was lost to a cancel."""
        async with self._database.connection() as connection:
            holder = await _sql.holder(connection, request_id=request_id)
        return holder is not None and holder["status"] == Status.CANCELLED

    async def retry(
        self, request_id: UUID, attempt: int, delay: timedelta, error: str, *, cause: str | None = None
    ) -> bool:
        """Return a request to the queue after a failure that may not happen again.

        `cause` is what counts against the lane. After out_of_memory another qworker tries it where one serves the lane.
        """
        return await self._requeue(request_id, attempt, delay, "retried", error, cause=cause)

    # -- maintenance ----------------------------------------------------------------------------------------------

    async def rescue(self, max_tries: int) -> tuple[int, int]:
        """Requeue the requests whose lease ran out, or fail those with no try left. (requeued, failed). Safe to run
        in several processes at once: every write is conditional."""
        async with self._database.connection() as connection:
            expired = await collect(_sql.expired_leases(connection))
        requeued = failed = 0
        for row in expired:
            if row["tries"] >= max_tries:
                ending = Ending(
                    Status.FAILED,
                    error=f"The worker was lost {row['tries']} times while running this request",
                    error_code="worker_lost",
                    retryable=True,
                )
                failed += (
                    await self._conclude(
                        row["request_id"], ending, attempt=row["attempt"], from_statuses=RUNNING, expired_only=True
                    )
                    is not None
                )
            else:
                requeued += await self._requeue(
                    row["request_id"], row["attempt"], timedelta(0), "rescued", "worker_lost", expired_only=True
                )
        return requeued, failed

    async def expire_all_leases(self) -> None:
        """End every lease now. Only for one who knows that every qworker of this database is dead."""
        async with self._database.connection() as connection:
            await _sql.expire_all_leases(connection)

    async def forget_old(self, age: timedelta) -> int:
        """Drop the records of requests that finished longer ago than `age`, or than their organisation keeps them.

        Artifacts that are still there expire first, and their record goes in a round after their objects. Usage rows
        stay. Returns how many records went.
        """
        async with self._database.connection() as connection:
            await _sql.expire_with_records(connection, age=age)
            return len(await collect(_sql.forget_old_requests(connection, age=age)))

    async def forget_old_keys(self) -> None:
        """Drop idempotency keys older than two days."""
        async with self._database.connection() as connection:
            await _sql.forget_old_keys(connection)

    # -- the customer's side --------------------------------------------------------------------------------------

    async def get(self, org_id: UUID, request_id: UUID) -> Request | None:
        """One request of an organisation; None for any other id."""
        async with self._database.connection() as connection:
            row = await _sql.one(connection, request_id=request_id, org_id=org_id)
        return Request.of(row) if row else None

    async def cancel(self, org_id: UUID, request_id: UUID) -> Request | None:
        """Cancel whatever is not final, fencing off its attempt; the request as it is now, None if it is not theirs."""
        ending = Ending(Status.CANCELLED, error="The request was cancelled", error_code="cancelled", retryable=False)
        row = await self._conclude(request_id, ending, org_id=org_id, from_statuses=NOT_FINAL)
        return Request.of(row) if row else await self.get(org_id, request_id)

    async def purge(self, org_id: UUID, request_id: UUID) -> Request | None:
        """Forget what a final request carried. None if it is not theirs or not final."""
        async with self._database.transaction() as connection:
            row = await _sql.purge(connection, request_id=request_id, org_id=org_id)
        return Request.of(row) if row else None

    async def position(self, request_id: UUID) -> int | None:
        """Requests ahead in claim order; None unless queued."""
        async with self._database.connection() as connection:
            return await _sql.position(connection, request_id=request_id)

    async def line(self, lane: str, limit: int) -> list[tuple[int, float, UUID]]:
        """Who waits in a lane, the first `limit` in claim order: minus the priority, start_tag, request_id."""
        async with self._database.connection() as connection:
            row = await _sql.line(connection, lane=lane, limit=limit)
        if row["ranks"] is None:
            return []
        return list(zip(row["ranks"], row["start_tags"], row["request_ids"], strict=True))

    async def artifacts(self, request_ids: Sequence[UUID]) -> list[Row]:
        """The artifact rows of some requests."""
        async with self._database.connection() as connection:
            return await collect(_sql.artifacts_of(connection, request_ids=list(request_ids)))

    async def attempts(self, request_id: UUID) -> list[Row]:
        async with self._database.connection() as connection:
            return await collect(_sql.attempts_of(connection, request_id=request_id))

    async def events(self, request_id: UUID, after: int = 0) -> list[Row]:
        """The stored events of a request after number `after`."""
        async with self._database.connection() as connection:
            return await collect(_sql.events_of(connection, request_id=request_id, after=after))

    async def histories(self, models: Sequence[str]) -> dict[str, History]:
        """For each of some models with history: how long its latest successes took."""
        async with self._database.connection() as connection:
            rows = await collect(_sql.histories(connection, models=list(models)))
        return {row["model"]: _history(row) for row in rows}

    # -- shared ---------------------------------------------------------------------------------------------------

    async def _stands(self, request_id: UUID, attempt: int, status: Status) -> bool:
        """Whether a fenced write that changed no row had been made before, and only its reply was lost."""
        async with self._database.connection() as connection:
            holder = await _sql.holder(connection, request_id=request_id)
        return holder is not None and holder["attempt"] == attempt and holder["status"] == status

    async def _conclude(
        self,
        request_id: UUID,
        ending: Ending,
        *,
        from_statuses: Sequence[Status],
        attempt: int | None = None,
        org_id: UUID | None = None,
        expired_only: bool = False,
    ) -> Row | None:
        outcome = (
            ending.outcome
            if ending.status is Status.SUCCESS
            else {
                "error": ending.error,
                "code": ending.error_code,
                "retryable": ending.retryable,
            }
        )

        async def work(connection: Connection) -> Row | None:
            if attempt is None:
                await _sql.hold(connection, request_id=request_id, org_id=org_id)
            row: Row | None = await _sql.conclude(
                connection,
                status=ending.status.value,
                outcome=dump(outcome),
                error=ending.error,
                error_code=ending.error_code,
                retryable=ending.retryable,
                keep_seconds=self._keep_seconds,
                request_id=request_id,
                org_id=org_id,
                attempt=attempt,
                expired_only=expired_only,
                from_statuses=[status.value for status in from_statuses],
                seconds=ending.seconds,
                artifacts=dump([artifact.as_json() for artifact in ending.artifacts]),
                report=dump(ending.report),
            )
            if row is not None and ending.cause is not None:
                await note_failure(connection, row["lane"], request_id, ending.cause, ending.error)
            moment("ending written")
            return row

        return await self._database.repeated(work)

    async def _requeue(
        self,
        request_id: UUID,
        attempt: int,
        delay: timedelta,
        result: str,
        error: str | None,
        *,
        give_try_back: bool = False,
        expired_only: bool = False,
        cause: str | None = None,
    ) -> bool:
        async def work(connection: Connection) -> bool:
            row: Row | None = await _sql.requeue(
                connection,
                give_try_back=give_try_back,
                delay=delay,
                request_id=request_id,
                attempt=attempt,
                expired_only=expired_only,
                result=result,
                error=error,
                elsewhere=cause == "out_of_memory",
            )
            if row is not None and cause is not None:
                whose = row["qworker_id"] if cause == "unsupported" else request_id
                await note_failure(connection, row["lane"], whose, cause, error)
            moment("return written")
            return row is not None

        return await self._database.repeated(work)


def _history(row: Row) -> History:
    """Medians, and the spread around them as factors, so that it holds for any size and length."""
    by_work = row["pace"] is not None
    middle, (low, high) = (row["pace"], row["pace_range"]) if by_work else (row["run_seconds"], row["run_range"])
    factors = (low / middle, high / middle) if middle > 0 else (1.0, 1.0)
    return History(row["run_seconds"], row["pace"], *factors, row["runs"])
