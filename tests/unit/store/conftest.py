"""A PostgreSQL that a test may kill."""

from collections.abc import Iterator

import pytest
from support.postgres import MortalPostgres


@pytest.fixture(scope="module")
def module_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalPostgres]:
    server = MortalPostgres(tmp_path_factory.mktemp("mortal"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mortal(module_postgres: MortalPostgres) -> MortalPostgres:
    """Alive at the beginning of every test, whatever the one before did."""
    module_postgres.start()
    return module_postgres
