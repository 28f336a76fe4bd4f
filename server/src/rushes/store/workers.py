"""The table of qworkers: who serves which lanes, who is alive."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

from rushes.store.database import Database, Row, collect, load_queries
from rushes.store.records import dump

_sql = load_queries("workers")

Order = Literal["run", "pause", "drain"]
_KINDS: Final[dict[Order, str]] = {"run": "resumed", "pause": "paused", "drain": "drained"}


class Workers:
    """Enrol, beat, leave; and the list of those alive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enrol(
        self, qworker_id: UUID, *, host: str, pid: int, version: str, lanes: Sequence[str], slots: int
    ) -> None:
        async with self._database.connection() as connection:
            await _sql.enrol(
                connection, qworker_id=qworker_id, host=host, pid=pid, version=version, lanes=list(lanes), slots=slots
            )

    async def seen(
        self,
        qworker_id: UUID,
        *,
        busy: int,
        draining: bool,
        loaded: Sequence[str] = (),
        memory_bytes: int | None = None,
    ) -> Order:
        """A heartbeat; what an operator has told the qworker to do."""
        async with self._database.connection() as connection:
            ordered = await _sql.seen(
                connection,
                busy=busy,
                draining=draining,
                loaded=list(loaded),
                memory_bytes=memory_bytes,
                qworker_id=qworker_id,
            )
        return ordered or "run"

    async def refuse(self, qworker_id: UUID, *, lanes: Sequence[str], refused: Mapping[str, str]) -> None:
        """Say what a qworker still claims from, and which models it cannot serve, with the reasons."""
        async with self._database.connection() as connection:
            await _sql.refuse(connection, lanes=list(lanes), refused=dump(dict(refused)), qworker_id=qworker_id)

    async def order(self, qworker_id: UUID, order: Order, *, actor: str) -> Row | None:
        """Tell a qworker to run, pause or drain; felt at its next claim. What stands now (ordered, busy), None if there
        is no such qworker. Who was told to drain does not come back."""
        async with self._database.transaction() as connection:
            kind = f"qworker.{_KINDS[order]}"
            return await _sql.order(connection, qworker_id=qworker_id, ordered=order, kind=kind, actor=actor)

    async def loaded(self, lane: str, seconds: float) -> None:
        """Keep what loading a lane's model took: claims weigh a swap by it."""
        async with self._database.connection() as connection:
            await _sql.loaded(connection, lane=lane, seconds=seconds)

    async def left(self, qworker_id: UUID) -> None:
        async with self._database.connection() as connection:
            await _sql.left(connection, qworker_id=qworker_id)

    async def alive(self) -> list[Row]:
        """Every qworker heard of within the last three heartbeats."""
        async with self._database.connection() as connection:
            return await collect(_sql.alive(connection))

    async def forget_dead(self) -> None:
        async with self._database.connection() as connection:
            await _sql.forget_dead(connection)
