"""For every test: the option --long, and a real PostgreSQL with a fresh database for each test that asks."""

import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from httpx2._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings
from rushes.store.embedded import EmbeddedPostgres
from support.chromium import chromium
from support.postgres import Databases

DRAWN = re.compile(r"(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
"""A random UUID, which a test's name must not hold."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run what takes minutes: every seed, the soak")


def pytest_configure(config: pytest.Config) -> None:
    _patient()
    _same_examples(derandomize=not config.getoption("--long"))
    # Started by nohup or in a shell's background, the tests would hand the signals ignored there to all they start.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _patient() -> None:
    """A call of a test may take a minute, not the library's five seconds: the machine may be busy."""
    DEFAULT_TIMEOUT_CONFIG.connect = DEFAULT_TIMEOUT_CONFIG.read = DEFAULT_TIMEOUT_CONFIG.write = 60.0
    with httpx2.Client() as client:
        assert client.timeout.read == 60.0, "httpx2 keeps its default elsewhere now"


def _same_examples(*, derandomize: bool) -> None:
    """Drawn examples are the same in each run of a change, new ones with --long; how long one takes is no fault."""
    settings.register_profile(
        "ours",
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("ours")


def pytest_report_header() -> str:
    path = chromium()
    return f"browser: {path}" if path else "browser: no Chromium found, so tests/browser are skipped"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    drawn = next((item.nodeid for item in items if DRAWN.search(item.nodeid)), None)
    if drawn is not None:
        raise pytest.UsageError(f"The name of {drawn} was drawn by chance; other processes call it something else")
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="only with --long"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """One embedded PostgreSQL for the whole session. Tests that kill one start their own."""
    folder = Path(tempfile.mkdtemp(prefix="rushes-tests-"))
    server = EmbeddedPostgres(folder)
    try:
        server.start()
        yield Databases(server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres: Databases) -> Iterator[str]:
    """A database of this version's schema, empty, for one test."""
    url = postgres.make()
    yield url
    postgres.drop(url)
