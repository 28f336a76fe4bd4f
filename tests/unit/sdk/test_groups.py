"""submit_many and the verbs of groups against a scripted server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gmicloud import AsyncClient, Client, SubmitRequestRequest
from gmicloud.errors import InvalidRequestError, UnsupportedError, WaitTimeout

from tests.unit.sdk.conftest import KEY, Reply, Wire

GROUP = {"group_id": "g-1", "total": 2, "quote_micro_usd": 20, "counts": {}}
MADE = {**GROUP, "requests": [{"request_id": "a", "status": "queued"}, {"request_id": "b", "status": "queued"}]}
BATCH, STATUS = "/requests/batch$", "/groups/g-1"


def stands(final: bool, **counts: int) -> Reply:
    return Reply(200, {**GROUP, "counts": counts, "final": final})


def test_many_are_sent_as_one_call_under_one_key(wire: Wire, client: Client) -> None:
    wire.script("POST", BATCH, Reply(503, {"error": "later"}, {"Retry-After": "0"}), Reply(200, MADE))
    group = client.submit_many(
        [
            ("wan2.7-i2v", {"prompt": "x"}),
            ("wan2.7-i2v", {"prompt": "y"}, {"priority": 3}),
            SubmitRequestRequest(model="wan2.7-i2v", payload={"prompt": "z"}),
        ],
        options={"metadata": {"a": 1}, "priority": 1},
        idempotency_key="k",
    )
    assert [each.request_id for each in group.requests] == ["a", "b"]
    first, second = [call for call in wire.calls if call.path.endswith("/requests/batch")]
    assert first.json == second.json
    assert {call.headers["idempotency-key"] for call in (first, second)} == {"k"}
    assert [body.get("priority") for body in first.json["requests"]] == [1, 3, 1]
    assert {body["metadata"]["a"] for body in first.json["requests"]} == {1}


def test_a_refusal_names_every_fault_by_its_index(wire: Wire, client: Client) -> None:
    faults = [{"index": 1, "param": "duration", "error": "no"}]
    wire.script("POST", BATCH, Reply(400, {"error": "1 of 2", "code": "invalid_request", "detail": {"errors": faults}}))
    with pytest.raises(InvalidRequestError) as caught:
        client.submit_many([("wan2.7-i2v", {"prompt": "x"})] * 2)
    assert caught.value.detail == {"errors": faults}


@pytest.mark.parametrize("submissions", [[], [("m", {"prompt": "x"})] * 1001, [("", {"prompt": "x"})], [("m", {})]])
def test_what_no_server_takes_is_refused_before_it_is_sent(wire: Wire, client: Client, submissions: Any) -> None:
    with pytest.raises(InvalidRequestError):
        client.submit_many(submissions)
    assert not any(call.method == "POST" for call in wire.calls)


def test_a_server_without_groups_is_told_from_ours(wire: Wire, client: Client) -> None:
    wire.ours = False
    with pytest.raises(UnsupportedError):
        client.submit_many([("wan2.7-i2v", {"prompt": "x"})])


def test_a_group_is_waited_for_through_an_outage(wire: Wire, client: Client) -> None:
    wire.script(
        "GET",
        STATUS,
        stands(False, queued=2),
        Reply(503, {"error": "x"}),
        stands(False, success=1),
        stands(True, success=2),
    )
    assert client.wait_group("g-1").counts == {"success": 2}


def test_a_wait_for_a_group_ends_with_its_time(wire: Wire, client: Client) -> None:
    wire.script("GET", STATUS, *[stands(False, queued=2)] * 50)
    with pytest.raises(WaitTimeout) as caught:
        client.wait_group("g-1", timeout=1)
    assert caught.value.request_id == "g-1"


def test_a_group_is_read_cancelled_and_listed(wire: Wire, client: Client) -> None:
    wire.script("GET", STATUS, stands(False, queued=2))
    wire.script("POST", "/groups/g-1/cancel$", stands(True, cancelled=2))
    group = client.get_group("g-1")
    assert (group.counts, group.final) == ({"queued": 2}, False)
    assert client.cancel_group(group).counts == {"cancelled": 2}
    pages = [
        Reply(200, {"requests": [wire.record("b", "queued")], "next_cursor": "c"}),
        Reply(200, {"requests": [wire.record("a", "queued")], "next_cursor": None}),
    ]
    wire.script("GET", "/requests", *pages)
    assert [record.request_id for record in client.group_requests(group)] == ["a", "b"]
    assert wire.calls[-1].query["group_id"] == ["g-1"]


def test_the_same_verbs_are_awaited(wire: Wire) -> None:
    wire.script("POST", BATCH, Reply(200, MADE))
    wire.script("GET", STATUS, stands(True, success=2), stands(True, success=2))
    wire.script("POST", "/groups/g-1/cancel$", stands(True, success=2))
    wire.script("GET", "/requests", Reply(200, {"requests": []}))

    async def run() -> None:
        async with AsyncClient(api_key=KEY, base_url=wire.url) as client:
            group = await client.submit_many([("wan2.7-i2v", {"prompt": "x"})])
            assert (await client.get_group(group)).final
            assert (await client.wait_group(group)).final
            assert (await client.cancel_group(group)).final
            assert await client.group_requests(group) == []

    asyncio.run(run())
