"""A server whose disk is nearly full accepts nothing, says so, and goes on by itself when there is room."""

from pathlib import Path

import pytest
from rushes.artifacts import space
from support.api import Q, running_api

BODY = {"model": "rushes-test", "payload": {"prompt": "x"}}
ROOM, NONE = (1 << 40, 1 << 39, 1 << 39), (1 << 40, 1 << 40, 1 << 20)


async def test_nothing_is_accepted_without_room(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_api(database_url, tmp_path) as api:
        key = await api.key(await api.organisation("studio"))
        headers = {"Idempotency-Key": "before"}
        before = (await api.call("POST", f"{Q}/requests", key, json=BODY, headers=headers)).json()
        monkeypatch.setattr(space.shutil, "disk_usage", lambda _: NONE)
        for path, body in (("requests", BODY), ("requests:batch", {"requests": [BODY]})):
            refused = await api.call("POST", f"{Q}/{path}", key, json=body)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1"), refused.text
            assert refused.json()["code"] == "storage_unavailable"
            assert "nearly full: 1 MB are free, 2147 MB stay reserved" in refused.json()["error"]
        again = await api.call("POST", f"{Q}/requests", key, json=BODY, headers=headers)
        assert again.json()["request_id"] == before["request_id"], "what was accepted is answered again"
        assert (await api.call("POST", f"{Q}/requests?dry_run=true", key, json=BODY)).status_code == 200
        assert (await api.call("GET", f"{Q}/requests", key)).json()["total"] == 1
        monkeypatch.setattr(space.shutil, "disk_usage", lambda _: ROOM)
        assert (await api.call("POST", f"{Q}/requests", key, json=BODY)).status_code == 200


async def test_a_server_that_keeps_nothing_here_asks_no_disk(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: NONE)
    async with running_api(database_url, tmp_path, objects_url="memory://") as api:
        key = await api.key(await api.organisation("studio"))
        assert (await api.call("POST", f"{Q}/requests", key, json=BODY)).status_code == 200
