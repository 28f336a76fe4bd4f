"""A qworker and its lanes: what it has loaded, what it cannot serve, what breaks it, and what it is told to do."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rushes.artifacts.objects import Objects
from rushes.catalog.loader import load_catalog
from rushes.domain.request import Status
from rushes.egress import Egress, EgressSettings
from rushes.engines.engine import Plan
from rushes.engines.registry import Engines
from rushes.engines.routing import Routing
from rushes.store.database import Database, Row
from rushes.store.files import Files
from rushes.store.lanes import Lanes
from rushes.store.listen import Listener
from rushes.store.operate import Operate
from rushes.store.records import NewRequest, Request
from rushes.store.requests import Requests
from rushes.store.workers import Workers
from rushes.worker.fetch import Fetch
from rushes.worker.policy import Policy
from rushes.worker.qworker import QWorker, Shape
from support.queueing import make_request

CARDS = """
family: heavy
org_id: tests
created: 2026-11-20
engine: heavy
models:
{models}
"""
CARD = """
  - id: {name}
    task: text-to-video
    display_name: {name}
    brief: A model with weights.
    description: For tests.
    parameters:
      - {{name: prompt, type: string}}
    price: {{usd: 0.01}}
    example: {{prompt: a stone}}
"""
MODELS = ("heavy-one", "heavy-two", "heavy-missing")


class Heavy:
    """A qworker for models with weights, and requests for it."""

    def __init__(self, database: Database, requests: Requests, org_id: UUID) -> None:
        self.database, self.requests, self.org_id = database, requests, org_id
        self.workers, self.operate, self.lanes = Workers(database), Operate(database), Lanes(database)

    async def submit(self, model: str, **extra: Any) -> UUID:
        plan = Plan(
            model=model,
            kind="t2v",
            prompt="",
            negative_prompt="",
            width=32,
            height=32,
            tier="",
            aspect="1:1",
            fps=24,
            num_frames=4,
            keep_frames=4,
            seconds=4 / 24,
            seed=5,
            extra=extra,
        )
        new: NewRequest = make_request(
            self.org_id, model=model, engine="heavy", lane=f"heavy/{model}", plan=plan.as_json(), params={}, payload={}
        )
        return (await self.requests.submit(new)).request_id

    async def reached(self, request_id: UUID, *wanted: Status, attempt: int = 0) -> Request:
        async with asyncio.timeout(60):
            while True:
                request = await self.requests.get(self.org_id, request_id)
                assert request is not None
                if request.status in wanted and request.attempt >= attempt:
                    return request
                await asyncio.sleep(0.01)

    async def row(self, wanted: Callable[[Row], bool]) -> Row:
        """The qworker's row as soon as it looks as wanted."""
        async with asyncio.timeout(60):
            while True:
                for row in await self.operate.qworkers():
                    if wanted(row):
                        return row
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self, folder: Path, environment: dict[str, str]) -> AsyncGenerator["asyncio.Task[None]"]:
        cards = folder / "cards"
        cards.mkdir()
        (cards / "heavy.yaml").write_text(CARDS.format(models="".join(CARD.format(name=name) for name in MODELS)))
        listener, objects = Listener(self.database.dsn), Objects("", folder / "objects")
        worker = QWorker(
            Shape(
                slots=1,
                engines=("heavy",),
                lease=timedelta(seconds=30),
                heartbeat_seconds=0.1,
                drain_seconds=0.0,
                exit_idle_seconds=None,
                scratch=folder / "scratch",
                policy=Policy(max_tries=1, attempt_seconds=60, cancel_grace_seconds=60, retry_delays=(0.0,)),
            ),
            requests=self.requests,
            workers=self.workers,
            lanes=self.lanes,
            listener=listener,
            objects=objects,
            fetch=Fetch(Files(self.database), objects, Egress(EgressSettings.of([80], []))),
            catalog=load_catalog(cards, test_models=True),
            routing=Routing(Engines()),
            dsn=self.database.dsn,
            environment={**environment, "RUSHES_CATALOG_DIR": str(cards)},
            logs=None,
        )
        await listener.start()
        task = asyncio.create_task(worker.run())
        try:
            yield task
        finally:
            worker.drain()
            await task
            await listener.stop()


@pytest.fixture
def heavy(
    database: Database,
    requests: Requests,
    org_id: UUID,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Heavy:
    monkeypatch.syspath_prepend(environment["PYTHONPATH"].split(":")[0])
    return Heavy(database, requests, org_id)


async def test_what_is_loaded_and_what_loading_took_is_told(
    heavy: Heavy, environment: dict[str, str], tmp_path: Path
) -> None:
    async with heavy.running(tmp_path, environment):
        for model in ("heavy-one", "heavy-two"):
            await heavy.reached(await heavy.submit(model), Status.SUCCESS)
            row = await heavy.row(lambda row: bool(row["loaded"]))
            assert row["loaded"] == ["heavy-one"] or model == "heavy-two"
            assert row["memory_bytes"] is None or row["memory_bytes"] > 0
        async with asyncio.timeout(60):
            while True:
                known = {row["lane"]: row["load_seconds"] for row in await heavy.lanes.all()}
                if None not in (known["heavy/heavy-one"], known["heavy/heavy-two"]):
                    break
                await asyncio.sleep(0.01)


async def test_a_model_it_cannot_serve_is_handed_back_uncounted_and_refused_with_the_reason(
    heavy: Heavy, environment: dict[str, str], tmp_path: Path
) -> None:
    missing = await heavy.submit("heavy-missing")
    async with heavy.running(tmp_path, environment):
        row = await heavy.row(lambda row: row["refused"] != "{}")
        assert "heavy/heavy-missing" not in row["lanes"]
        assert "The folder of heavy-missing is empty" in row["refused"]
        request = await heavy.reached(missing, Status.QUEUED, attempt=1)
        assert (request.attempt, request.tries) == (1, 0)
        good = await heavy.submit("heavy-one")
        await heavy.reached(good, Status.SUCCESS)
    request = await heavy.reached(missing, Status.QUEUED)
    assert request.attempt == 1, "it did not claim it again"


async def test_a_request_for_a_model_it_never_heard_of_is_handed_back_and_costs_no_lease(
    heavy: Heavy, environment: dict[str, str], tmp_path: Path
) -> None:
    new = replace(
        make_request(heavy.org_id, model="of-a-later-release", engine="heavy"),
        lane="heavy/heavy-one",
        webhook_events=[],
    )
    async with heavy.running(tmp_path, environment):
        request_id = (await heavy.requests.submit(new)).request_id
        request = await heavy.reached(request_id, Status.QUEUED, attempt=1)
        assert (request.attempt, request.tries) == (1, 0)
        await heavy.row(lambda row: "of-a-later-release" in row["refused"])


async def test_three_requests_that_the_engine_breaks_at_hold_its_lane_and_no_other(
    heavy: Heavy, environment: dict[str, str], tmp_path: Path
) -> None:
    async with heavy.running(tmp_path, environment):
        for _ in range(3):
            failed = await heavy.reached(await heavy.submit("heavy-one", way="raise"), Status.FAILED)
            assert failed.error_code == "engine_lost"
        (held,) = await heavy.lanes.held()
        assert (held["lane"], held["cause"]) == ("heavy/heavy-one", "engine_lost")
        kept = await heavy.submit("heavy-one")
        await heavy.reached(await heavy.submit("heavy-two"), Status.SUCCESS)
        await heavy.reached(kept, Status.QUEUED)
        assert await heavy.lanes.resume("heavy/heavy-one", actor="test")
        await heavy.reached(kept, Status.SUCCESS)


async def test_a_qworker_that_is_told_to_drain_ends(heavy: Heavy, environment: dict[str, str], tmp_path: Path) -> None:
    async with heavy.running(tmp_path, environment) as task:
        row = await heavy.row(lambda row: True)
        await heavy.workers.order(row["qworker_id"], "drain", actor="test")
        async with asyncio.timeout(60):
            await asyncio.shield(task)
    assert await heavy.operate.qworkers() == []


async def test_a_paused_qworker_claims_nothing_and_goes_on_when_it_may(
    heavy: Heavy, environment: dict[str, str], tmp_path: Path
) -> None:
    async with heavy.running(tmp_path, environment):
        row = await heavy.row(lambda row: True)
        await heavy.workers.order(row["qworker_id"], "pause", actor="test")
        request_id = await heavy.submit("heavy-one")
        await heavy.row(lambda row: row["ordered"] == "pause")
        assert (await heavy.reached(request_id, Status.QUEUED)).attempt == 0
        await heavy.workers.order(row["qworker_id"], "run", actor="test")
        await heavy.reached(request_id, Status.SUCCESS)
