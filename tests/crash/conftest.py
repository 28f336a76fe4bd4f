"""A process that has imported everything, a PostgreSQL that may be killed, and a stage of real processes."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rushes.accounts.bootstrap import bootstrap
from support.invariants import check_invariants
from support.postgres import Databases, MortalPostgres
from support.stage import Stage

PRELOADED = ["support.small_worker", "support.stage", "rushes.cli.processes", "rushes.api.app", "rushes.api.wiring"]
PRELOADED += ["rushes.worker.assembly", "uvicorn", "uvloop"]


@pytest.fixture(scope="session")
def nursery() -> Any:
    """Starts a process in some milliseconds: forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@pytest.fixture(scope="module")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MortalPostgres, Databases]]:
    server = MortalPostgres(tmp_path_factory.mktemp("mortal"))
    server.start()
    yield server, Databases(server)
    server.stop()


@pytest.fixture
def mortal(mortals: tuple[MortalPostgres, Databases]) -> MortalPostgres:
    """Alive at the beginning of every test, whatever the one before did."""
    mortals[0].start()
    return mortals[0]


@pytest.fixture
def mortal_url(mortal: MortalPostgres, mortals: tuple[MortalPostgres, Databases]) -> str:
    return mortals[1].make()


@pytest.fixture
def stage(nursery: Any, tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """A stage on a database of its own; at the end everybody is gone and every invariant holds."""
    with staged(nursery, tmp_path, database_url) as stage:
        yield stage


@pytest.fixture
def mortal_stage(nursery: Any, tmp_path: Path, mortal: MortalPostgres, mortal_url: str) -> Iterator[Stage]:
    """The same on a PostgreSQL that the test kills."""
    with staged(nursery, tmp_path, mortal_url) as stage:
        yield stage
        mortal.start()


@contextmanager
def staged(nursery: Any, folder: Path, database_url: str) -> Iterator[Stage]:
    """A stage in a folder; at the end everybody is gone and every invariant holds."""
    folder.mkdir(exist_ok=True)
    first = asyncio.run(bootstrap(database_url)).key
    assert first is not None
    stage = Stage(nursery, database_url, folder, first)
    try:
        yield stage
    finally:
        stage.close()
    check_invariants(database_url, stage.objects)
