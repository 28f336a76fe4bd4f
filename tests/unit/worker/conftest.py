"""Real engine children, warm for a whole module."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from rushes.catalog.loader import Catalog, load_catalog
from rushes.engines.engine import Plan
from rushes.engines.faults import FaultsEngine
from rushes.store.database import Database
from rushes.store.records import NewRequest
from rushes.store.requests import Requests
from rushes.worker.child import EngineChild, Order
from support.awkward_engine import install
from support.invariants import broken_invariants
from support.queueing import make_org, make_request


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What engine children see: the test models, and the awkward engine."""
    return install(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def child(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineChild]:
    child = EngineChild("awkward", environment, tmp_path_factory.mktemp("logs") / "engine.log")
    yield child
    child.kill()


@pytest.fixture
def order(tmp_path: Path) -> Callable[..., Order]:
    """Makes an order: keyword arguments go into the plan's extra, but for those of the order itself."""

    def make(frames: int = 4, size: tuple[int, int] = (32, 16), **given: Any) -> Order:
        own = {
            name: given.pop(name)
            for name in ("seconds", "cancel_grace", "stop", "for_good", "on_progress", "on_remember", "on_frames")
            if name in given
        }
        plan = Plan(
            model="rushes-test",
            kind="t2v",
            prompt="",
            negative_prompt="",
            width=size[0],
            height=size[1],
            tier="",
            aspect="2:1",
            fps=24,
            num_frames=frames,
            keep_frames=frames,
            seconds=frames / 24,
            seed=5,
            extra=given,
        )
        fields: dict[str, Any] = {
            "seconds": 30.0,
            "cancel_grace": 10.0,
            "stop": Event(),
            "on_progress": lambda *_: None,
            "on_remember": lambda _: None,
            "on_frames": lambda _: None,
        }
        return Order(plan=plan.as_json(), scratch=tmp_path, remembered=None, **(fields | own))

    return make


def descriptors(pid: int | str = "self") -> int:
    """How many files a process has open; Linux only."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(test_models=True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """At the end of every test, all invariants hold."""
    database = Database(database_url, size=8)
    await database.start()
    yield database
    await database.stop()
    assert await broken_invariants(database_url) == {}


@pytest.fixture
def requests(database: Database) -> Requests:
    return Requests(database, keep_seconds=3600)


@pytest.fixture
async def org_id(database: Database) -> UUID:
    return await make_org(database)


def ordered_request(org_id: UUID, catalog: Catalog, **params: Any) -> NewRequest:
    """A request of the test model; `params` say how its engine behaves, `fault` what the payload orders beside."""
    fault = params.pop("fault", None)
    cleaned = {"seconds": 0, "frames": 4, "width": 32, "height": 32, "progress_steps": 4} | params
    plan = FaultsEngine().normalise(catalog.find("rushes-test"), cleaned, 7)
    stored = {"fail": None, "at": 0, "stall": 0.0, "lose_worker": False} | fault if fault else None
    return make_request(org_id, payload=cleaned, params=cleaned, plan=plan.as_json(), fault=stored)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
