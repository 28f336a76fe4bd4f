"""GET requests, files and models: filters by name, what a wrong one is told, what is asked for beside the record."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from PIL import Image
from support.api import Api, S, running_api
from support.queueing import make_request, started


@dataclass
class Org:
    api: Api
    org_id: UUID
    key: str

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.api.call("GET", f"{S}{path}", self.key, params=query)

    async def found(self, **query: Any) -> list[str]:
        answer = await self.get("/requests", **query)
        assert answer.status_code == 200, answer.text
        return [record["request_id"] for record in answer.json()["requests"]]


@pytest.fixture
async def org(database_url: str, tmp_path: Path) -> AsyncIterator[Org]:
    async with running_api(database_url, tmp_path) as api:
        org_id = await api.organisation("studio")
        yield Org(api, org_id, await api.key(org_id))


async def test_every_filter_has_a_name_and_wrong_ones_are_told_by_it(org: Org) -> None:
    request = await org.api.services.requests.submit(make_request(org.org_id, metadata={"take": 7, "a.b": "c"}))
    mine = [str(request.request_id)]
    later, earlier = int(request.created_at.timestamp()) + 60, int(request.created_at.timestamp()) - 60
    for query in (
        {"q": "quiet harb"},
        {"q": mine[0][:8]},
        {"metadata.take": "7"},
        {"metadata.a.b": "c", "q": "harbour"},
        {"created_after": earlier, "created_before": later},
        {"status": "queued", "model_id": "RUSHES-TEST"},
    ):
        assert await org.found(**query) == mine, query
    for query in (
        {"q": "loud"},
        {"metadata.take": "8"},
        {"created_after": later},
        {"created_before": earlier},
        {"sha256": "0" * 64},
        {"seed": "-5"},
        {"group_id": str(uuid4())},
        {"q": "harbour", "created_after": "2001-01-01", "created_before": "2001-01-02"},
    ):
        assert await org.found(**query) == [], query
    for name, value in {
        "sha256": "abc",
        "seed": "one",
        "group_id": "x",
        "q": "x" * 501,
        "metadata.": "x",
        "metadata.take": "x" * 600,
        "created_after": "soon",
        "status": "done",
    }.items():
        answer = await org.get("/requests", **{name: value})
        assert (answer.status_code, answer.json()["param"]) == (400, name)


async def test_bulk_takes_the_same_filters(org: Org) -> None:
    await org.api.services.requests.submit(make_request(org.org_id, metadata={"bracket": "b1"}))
    await org.api.services.requests.submit(make_request(org.org_id))
    body = {"action": "cancel", "filter": {"metadata.bracket": "b1"}, "expect": 1}
    answer = await org.api.call("POST", f"{S}/requests/bulk", org.key, json=body)
    assert answer.json()["done"] == 1, answer.text
    assert (await org.get("/requests")).json()["total_capped"] is False


async def test_the_record_has_the_cleaned_payload_and_the_attempts_where_asked(org: Org) -> None:
    body = {"model": "rushes-test", "payload": {"prompt": "x"}}
    request_id = (await org.api.call("POST", f"{S}/requests", org.key, json=body)).json()["request_id"]
    record = (await org.get(f"/requests/{request_id}")).json()
    assert not {"attempts", "cleaned_payload"} & set(record)
    request = await started(org.api.services.requests)
    await org.api.services.requests.note_stages(request.request_id, 1, [{"stage": "loading", "at": 1.5}])
    record = (await org.get(f"/requests/{request_id}", attempts=1, cleaned=1)).json()
    assert record["payload"] == {"prompt": "x"}
    assert set(record["cleaned_payload"]) > {"prompt"}
    (attempt,) = record["attempts"]
    assert (attempt["engine"], attempt["stages"]) == ("faults", [{"stage": "loading", "at": 1.5}])


async def test_files_are_paged_by_a_cursor(org: Org) -> None:
    for number in range(3):
        buffer = BytesIO()
        Image.new("RGB", (320 + number, 320), (number, 0, 0)).save(buffer, "PNG")
        answer = await org.api.call("POST", f"{S}/files", org.key, files={"file": ("a.png", buffer.getvalue())})
        assert answer.status_code == 200, answer.text
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await org.get("/files", limit=2, cursor=cursor)).json()
        seen += [file["file_id"] for file in page["files"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert (len(seen), len(set(seen)), page["next_cursor"]) == (3, 3, None)
    assert (await org.get("/files", cursor="nonsense")).json()["param"] == "cursor"
    assert (await org.get("/files", cursor=cursor, offset=1)).json()["param"] == "cursor"
