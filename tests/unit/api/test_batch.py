"""Batch submit: all or none, one group, one key; the group's status and its cancel."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from PIL import Image
from rushes.queue import batch as batches
from support.api import Api, S, running_api
from support.queueing import failure, started


@dataclass
class Org:
    api: Api
    org_id: UUID
    key: str

    async def submit(self, items: Any, path: str = "/requests:batch", **headers: str) -> httpx2.Response:
        return await self.api.call("POST", f"{S}{path}", self.key, json={"requests": items}, headers=headers)

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.api.call("GET", f"{S}{path}", self.key, params=query)

    async def stored(self) -> int:
        return (await self.get("/requests")).json()["total"]


def item(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"model": "rushes-test", "payload": {"prompt": f"take {number}"}, "metadata": {"n": number}, **more}


@pytest.fixture
async def org(database_url: str, tmp_path: Path) -> AsyncIterator[Org]:
    async with running_api(database_url, tmp_path) as api:
        org_id = await api.organisation("studio")
        yield Org(api, org_id, await api.key(org_id))


async def test_a_batch_is_submitted_in_its_order_under_one_group(org: Org) -> None:
    for path in ("/requests:batch", "/requests/batch"):
        answer = await org.submit([item(n) for n in range(3)], path)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        assert (made["total"], len(made["requests"])) == (3, 3)
        assert made["quote_micro_usd"] == sum(each["quote_micro_usd"] for each in made["requests"])
        for number, each in enumerate(made["requests"]):
            record = (await org.get(f"/requests/{each['request_id']}")).json()
            assert (record["group_id"], record["metadata"]) == (made["group_id"], {"n": number})
        listed = (await org.get("/requests", group_id=made["group_id"])).json()
        assert listed["total"] == 3
    assert await org.stored() == 6
    claimed = [(await started(org.api.services.requests)).metadata for _ in range(3)]
    assert claimed == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_every_fault_is_named_by_its_index_and_nothing_is_submitted(org: Org) -> None:
    items = [
        item(),
        item(model="no-such-model"),
        "nothing",
        item(payload={"prompt": "x", "seconds": "long", "frames": -1}),
        item(metadata=[1]),
    ]
    answer = await org.submit(items)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, "invalid_request")
    assert [fault["index"] for fault in body["detail"]["errors"]] == [2, 4], "the shape of all items comes first"
    assert body["param"] == "requests[2]"
    answer = await org.submit([items[0], items[1], items[3]])
    body = answer.json()
    assert [(fault["index"], fault["code"]) for fault in body["detail"]["errors"]] == [
        (1, "model_not_found"),
        (2, "invalid_payload"),
    ]
    assert len(body["detail"]["errors"][1]["detail"]["errors"]) == 2, "and each fault of a payload"
    assert body["param"].startswith("requests[1].model")
    assert await org.stored() == 0


async def test_a_faulty_item_keeps_the_files_of_the_others_from_being_stored(org: Org) -> None:
    def with_picture(colour: int) -> dict[str, Any]:
        buffer = BytesIO()
        Image.new("RGB", (640, 640), (colour, 0, 0)).save(buffer, "PNG")
        data = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        return {"model": "wan2.7-i2v", "payload": {"prompt": "x", "first_frame": data}}

    assert (await org.submit([with_picture(1), item()])).status_code == 200
    assert (await org.get("/files")).json()["total"] == 1
    assert (await org.submit([with_picture(2), item(model="no-such-model")])).status_code == 400
    assert (await org.get("/files")).json()["total"] == 1


@pytest.mark.parametrize("given", [None, [], {}, "x", [item()] * 1001])
async def test_a_batch_is_a_list_of_one_to_a_thousand(org: Org, given: Any) -> None:
    answer = await org.submit(given)
    assert (answer.status_code, answer.json()["param"]) == (400, "requests")


async def test_a_thousand_are_admitted_together(org: Org) -> None:
    answer = await org.submit([item(n) for n in range(1000)])
    assert answer.status_code == 200, answer.text
    group_id = answer.json()["group_id"]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await org.get(f"/groups/{group_id}", limit=400, cursor=cursor)).json()
        seen += page["request_ids"]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(each["request_id"] for each in answer.json()["requests"])
    assert (page["total"], page["counts"]["queued"], page["final"]) == (1000, 1000, False)


async def test_the_sum_is_held_against_the_balance_once_and_all_are_refused_together(org: Org) -> None:
    services = org.api.services
    each = (await org.submit([item()])).json()["quote_micro_usd"]
    await services.accounts.set_balance(org.org_id, each * 4)
    answer = await org.submit([item(n) for n in range(4)])
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_credits")
    assert "These 4 requests cost" in answer.json()["error"]
    assert await org.stored() == 1
    assert (await org.submit([item(n) for n in range(3)])).status_code == 200
    assert (await org.submit([item()])).status_code == 402


async def test_a_queue_limit_refuses_the_whole_batch(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path, max_queued=3) as api:
        org_id = await api.organisation("studio")
        org = Org(api, org_id, await api.key(org_id))
        assert (await org.submit([item(n) for n in range(4)])).json()["code"] == "too_many_queued"
        assert await org.stored() == 0
        assert (await org.submit([item(n) for n in range(3)])).status_code == 200


async def test_one_key_makes_one_batch_however_often_and_however_many_at_once(org: Org) -> None:
    items = [item(n) for n in range(5)]
    key = {"Idempotency-Key": "batch-1"}
    answers = await asyncio.gather(*(org.submit(items, **key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 7
    assert await org.stored() == 5
    assert (await org.submit(items[:4], **key)).status_code == 422
    single = await org.api.call("POST", f"{S}/requests", org.key, json=items[0], headers=key)
    assert single.status_code == 422
    assert await org.stored() == 5


async def test_a_refused_batch_does_not_use_up_its_key(org: Org) -> None:
    key = {"Idempotency-Key": "batch-2"}
    assert (await org.submit([item(model="no-such-model")], **key)).status_code == 400
    await org.api.services.accounts.set_balance(org.org_id, 0)
    assert (await org.submit([item()], **key)).status_code == 402
    await org.api.services.accounts.set_balance(org.org_id, None)
    assert (await org.submit([item()], **key)).status_code == 200


async def test_a_group_says_how_its_requests_stand_and_is_cancelled_as_one(org: Org) -> None:
    group_id = (await org.submit([item(n) for n in range(4)])).json()["group_id"]
    requests = org.api.services.requests
    done, running = [await started(requests) for _ in range(2)]
    assert await requests.finish(done.request_id, done.attempt, failure())
    answer = await org.api.call("POST", f"{S}/groups/{group_id}/cancel", org.key)
    shown = answer.json()
    assert (shown["counts"]["failed"], shown["counts"]["cancelled"], shown["final"]) == (1, 3, True)
    assert shown["charge_micro_usd"] == 0
    assert not await requests.finish(running.request_id, running.attempt, failure())
    again = await org.api.call("POST", f"{S}/groups/{group_id}/cancel", org.key)
    assert again.json() == shown


@pytest.mark.parametrize("name", ["x", "00000000-0000-4000-8000-000000000000"])
async def test_a_group_that_is_not_there_is_not_found(org: Org, name: str) -> None:
    assert (await org.get(f"/groups/{name}")).json()["error"] == "group not found"
    assert (await org.api.call("POST", f"{S}/groups/{name}/cancel", org.key)).status_code == 404


async def test_others_have_their_turn_while_a_large_batch_is_checked(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BREATH", 1)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert (await org.submit([item(n) for n in range(50)])).status_code == 200
    counting.cancel()
    assert turns >= 50
