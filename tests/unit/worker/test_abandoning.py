"""The loop that stops work elsewhere: it goes on whatever an engine says, asks again later, and tells operators."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from uuid import UUID

import pytest
from rushes.engines.engine import Abandoned, Abandons, Alive, Busy, EngineLost
from rushes.engines.registry import GROUP
from rushes.store.database import Database
from rushes.store.listen import Listener
from rushes.store.operate import Operate
from rushes.store.requests import Requests
from rushes.store.work_elsewhere import WorkElsewhere
from rushes.worker import abandoning as module
from rushes.worker.abandoning import Abandoning, delay
from support.queueing import LANE, failure, make_request, started

PATIENCE = 60.0


class OtherServer:
    """An engine whose server answers as it is told, in order, and then that all has been stopped."""

    def __init__(self, *answers: Abandoned | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.alive: Sequence[str] = ()

    async def abandon(self, ref: str, alive: Alive) -> Abandoned:
        self.asked.append(ref)
        self.alive = await alive()
        answer = self._answers.pop(0) if self._answers else "stopped"
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def running(database: Database, engine: Abandons) -> AsyncGenerator[None]:
    """At its end nothing is left to be stopped."""
    listener = Listener(database.dsn)
    abandoning = Abandoning(WorkElsewhere(database), LANE, engine, listener)
    await abandoning.stop()
    await listener.start()
    await abandoning.start()
    await abandoning.start()
    assert abandoning.started
    try:
        yield
        async with asyncio.timeout(PATIENCE):
            while await WorkElsewhere(database).next_due(LANE) is not None:
                await asyncio.sleep(0.01)
    finally:
        await abandoning.stop()
        await abandoning.stop()
        await listener.stop()


async def left(requests: Requests, org_id: UUID, ref: str) -> UUID:
    """A request that has failed, and whose engine had begun something elsewhere."""
    await requests.submit(make_request(org_id))
    request = await started(requests)
    assert await requests.remember(request.request_id, request.attempt, ref)
    assert await requests.finish(request.request_id, request.attempt, failure())
    return request.request_id


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stopped is tried again at once."""
    monkeypatch.setattr(module, "FIRST_DELAY", 0.0)


@pytest.fixture
def never_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 3600.0)


@pytest.mark.usefixtures("never_polls")
async def test_what_was_left_before_and_what_is_left_meanwhile_is_stopped_once_each(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    engine = OtherServer()
    await left(requests, org_id, "one")
    async with running(database, engine):
        await left(requests, org_id, "two")
    assert engine.asked == ["one", "two"]
    assert [event["kind"] for event in await Operate(database).events(limit=10)] == []


@pytest.mark.usefixtures("soon")
async def test_whatever_an_engine_raises_it_is_asked_again_and_keeps_no_other_work_running(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    engine = OtherServer(EngineLost("No connection"), ValueError("a fault of its own"), Busy("full", retry_after=0))
    await left(requests, org_id, "one")
    async with running(database, engine):
        pass
    await left(requests, org_id, "two")
    async with running(database, engine):
        pass
    assert engine.asked == ["one"] * 4 + ["two"]


async def test_operators_are_told_of_what_may_run_on_and_the_engine_what_goes_on(
    requests: Requests, database: Database, org_id: UUID
) -> None:
    engine = OtherServer("running", "unknown")
    first, second = await left(requests, org_id, "one"), await left(requests, org_id, "two")
    await requests.submit(make_request(org_id))
    living = await started(requests)
    assert await requests.remember(living.request_id, living.attempt, "living")
    async with running(database, engine):
        pass
    assert engine.alive == ["living"]
    told = [(event["kind"], event["subject"], event["said"]) for event in await Operate(database).events(limit=10)]
    assert told == [
        ("work.left", LANE, f"request {second}: whether it has begun at the server could not be told"),
        ("work.left", LANE, f"request {first}: the server stops nothing, so it may run on there"),
    ]


def test_the_delays_grow_up_to_five_minutes() -> None:
    assert 4 <= delay(1) <= 6 < 8 <= delay(2) <= 12
    assert all(240 <= delay(tries) <= 360 for tries in (8, 50, 10_000))


def test_only_engines_that_call_other_servers_are_asked() -> None:
    asked = {entry.name for entry in entry_points(group=GROUP) if issubclass(entry.load(), Abandons)}
    assert asked & {"animatic", "diffusers", "faults", "gmi", "openai_videos"} == {"gmi", "openai_videos"}
