"""A pytest plugin: fixture `gmicloud_server`, a real local platform that makes real files and fails on command.

    def test_my_code_survives_a_lost_worker(gmicloud_server):
        client = gmicloud_server.client()
        record = client.generate("wan2.7-i2v", prompt="a calm sea", **gmicloud_server.lose_worker())
        assert record.attempt == 2

The plugin is loaded by every test run of the environment, so nothing heavy is imported before the fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gmicloud.local import LocalServer, Platform, ServerNotStarted

__all__ = ["LocalServer", "Platform", "ServerNotStarted", "gmicloud_server"]


@pytest.fixture(scope="session")
def gmicloud_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A real platform on loopback, started once for the whole test run."""
    platform = Platform(tmp_path_factory.mktemp("gmicloud-server"))
    try:
        server = platform.start()
    except ServerNotStarted as error:
        pytest.fail(f"gmicloud_server could not be started: {error}", pytrace=False)
    yield server
    platform.stop()
