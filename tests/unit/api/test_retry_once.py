"""Idempotency-Key on retries, one by one and in bulk: repeated calls submit nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from support.api import Api, S, running_api

KEY = {"Idempotency-Key": "again-1"}


@dataclass
class Org:
    api: Api
    org_id: UUID
    key: str

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return await self.api.call("POST", f"{S}/requests{path}", self.key, json=body, headers=headers)

    async def cancelled(self) -> str:
        """The id of a request that was cancelled."""
        made = await self.post("", {"model": "rushes-test", "payload": {"prompt": "x"}})
        await self.post(f"/{made.json()['request_id']}/cancel")
        return made.json()["request_id"]

    async def stored(self) -> int:
        return (await self.api.call("GET", f"{S}/requests", self.key)).json()["total"]


@pytest.fixture
async def org(database_url: str, tmp_path: Path) -> AsyncIterator[Org]:
    async with running_api(database_url, tmp_path) as api:
        org_id = await api.organisation("studio")
        yield Org(api, org_id, await api.key(org_id))


async def test_a_retry_under_a_key_makes_one_request_however_often_it_is_asked_for(org: Org) -> None:
    old = await org.cancelled()
    answers = await asyncio.gather(*(org.post(f"/{old}/retry", **KEY) for _ in range(6)))
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 5
    assert answers[0].json()["retry_of"] == old
    assert await org.stored() == 2
    await org.api.call("DELETE", f"{S}/requests/{old}?purge=true", org.key)
    assert (await org.post(f"/{old}/retry", **KEY)).content == answers[0].content
    assert (await org.post(f"/{old}/retry")).status_code == 400


async def test_a_retry_of_another_request_under_the_same_key_is_refused(org: Org) -> None:
    first, second = await org.cancelled(), await org.cancelled()
    assert (await org.post(f"/{first}/retry", **KEY)).status_code == 200
    assert (await org.post(f"/{second}/retry", **KEY)).json()["code"] == "idempotency_mismatch"
    assert await org.stored() == 3


async def test_a_bulk_call_under_a_key_is_answered_again_byte_for_byte(org: Org) -> None:
    ids = [await org.cancelled() for _ in range(3)]
    body = {"action": "retry", "ids": ids}
    first = await org.post("/bulk", body, **KEY)
    assert set(first.json()["retried"]) == set(ids)
    again = await org.post("/bulk", body, **KEY)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert await org.stored() == 6
    assert (await org.post("/bulk", {**body, "ids": ids[:1]}, **KEY)).status_code == 422
    assert (await org.post("/bulk", {"action": "cancel", "filter": {}, "expect": 1}, **KEY)).status_code == 422


async def test_a_bulk_call_that_broke_off_is_finished_by_its_repetition(org: Org, database_url: str) -> None:
    ids = [await org.cancelled() for _ in range(3)]
    body = {"action": "retry", "ids": ids}
    first = await org.post("/bulk", body, **KEY)
    async with org.api.services.database.connection() as connection:  # as if it had died before its answer was kept
        await connection.execute("DELETE FROM idempotency WHERE key = 'again-1'")
        # and before the last request was retried
        lost = UUID(first.json()["retried"][ids[2]])
        await connection.execute("DELETE FROM idempotency WHERE request_id = $1", lost)
    again = (await org.post("/bulk", body, **KEY)).json()
    assert {old: again["retried"][old] for old in ids[:2]} == {old: first.json()["retried"][old] for old in ids[:2]}
    assert again["retried"][ids[2]] != str(lost)
    assert await org.stored() == 7


async def test_racing_bulk_calls_under_one_key_retry_each_request_once(org: Org) -> None:
    ids = [await org.cancelled() for _ in range(3)]
    answers = await asyncio.gather(*(org.post("/bulk", {"action": "retry", "ids": ids}, **KEY) for _ in range(4)))
    assert len({answer.content for answer in answers}) == 1
    assert await org.stored() == 6


async def test_a_refused_bulk_call_does_not_use_up_its_key(org: Org) -> None:
    assert (await org.post("/bulk", {"action": "retry", "filter": {}, "expect": 9}, **KEY)).status_code == 400
    assert (await org.post("/bulk", {"action": "retry", "ids": [await org.cancelled()]}, **KEY)).json()["done"] == 1
