"""Bulk actions and retries: what was asked is done, the rest told with its reason; a wrong count does nothing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

LONG = {"prompt": "long", "seconds": 60}
QUICK = {"prompt": "grey", "seconds": 0.1, "frames": 2}


def submit(queue: httpx2.Client, payload: dict[str, Any], **more: Any) -> str:
    answer = queue.post("/requests", json={"model": "rushes-test", "payload": payload, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["request_id"]


def record(queue: httpx2.Client, request_id: str, wait: int = 0) -> dict[str, Any]:
    return queue.get(f"/requests/{request_id}", params={"wait": wait}).json()


def bulk(queue: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = queue.post("/requests/bulk", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_bulk_cancel_tells_what_it_could_not_cancel_and_why(queue: httpx2.Client) -> None:
    finished = submit(queue, QUICK)
    record(queue, finished, wait=30)
    waiting = [submit(queue, LONG) for _ in range(3)]
    told = bulk(queue, action="cancel", ids=[*waiting, waiting[0], finished, "nobody", str(uuid4())])
    assert (told["matched"], told["done"]) == (4, 3)
    assert {each["request_id"]: each["code"] for each in told["skipped"]}[finished] == "invalid_request"
    assert [each["code"] for each in told["skipped"]].count("request_not_found") == 2
    assert {record(queue, each)["status"] for each in waiting} == {"cancelled"}


def test_a_filter_acts_only_on_the_number_that_was_expected(queue: httpx2.Client) -> None:
    mark = f"marked {uuid4()}"
    marked = [submit(queue, {**LONG, "prompt": mark}) for _ in range(3)]
    chosen = {"q": mark, "model_id": "RUSHES-TEST", "status": ["queued", "dispatched", "processing"]}
    refused = queue.post("/requests/bulk", json={"action": "cancel", "filter": chosen, "expect": 2})
    assert (refused.status_code, refused.json()["param"]) == (400, "expect")
    assert refused.json()["detail"] == {"matched": 3}
    assert {record(queue, each)["status"] for each in marked} & {"cancelled"} == set()
    told = bulk(queue, action="cancel", filter=chosen, expect=3)
    assert (told["matched"], told["done"], told["skipped"]) == (3, 3, [])
    assert {record(queue, each)["status"] for each in marked} == {"cancelled"}
    assert bulk(queue, action="cancel", filter=chosen, expect=0)["matched"] == 0


def test_a_bulk_retry_maps_old_to_new_and_leaves_successes_alone(queue: httpx2.Client) -> None:
    failed = submit(queue, {**QUICK, "fail_at": 0, "fail_code": "unsupported"}, metadata={"order": 1})
    good = submit(queue, QUICK)
    cancelled = submit(queue, {**QUICK, "prompt": "cancelled"})
    queue.delete(f"/requests/{cancelled}")
    assert record(queue, failed, wait=30)["status"] == "failed"
    assert record(queue, good, wait=30)["status"] == "success"
    told = bulk(queue, action="retry", ids=[failed, good, cancelled])
    assert (told["matched"], told["done"]) == (3, 2)
    assert [each["request_id"] for each in told["skipped"]] == [good]
    again = record(queue, told["retried"][failed], wait=30)
    assert (again["status"], again["metadata"]) == ("failed", {"order": 1})
    assert record(queue, told["retried"][cancelled], wait=30)["status"] == "success"
    assert record(queue, failed)["request_id"] == failed


def test_one_request_is_retried_as_a_new_one(queue: httpx2.Client) -> None:
    old = submit(queue, QUICK)
    queue.delete(f"/requests/{old}")
    if record(queue, old)["status"] == "cancelled":
        answer = queue.post(f"/requests/{old}/retry")
        assert answer.status_code == 200
        assert answer.json()["retry_of"] == old
        old = answer.json()["request_id"]
    assert record(queue, old, wait=30)["status"] == "success"
    refused = queue.post(f"/requests/{old}/retry")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert "success" in refused.json()["error"]
    assert queue.post(f"/requests/{uuid4()}/retry").json()["code"] == "request_not_found"


def test_a_bulk_purge_forgets_payload_and_outcome_and_cannot_be_retried(queue: httpx2.Client) -> None:
    made = submit(queue, QUICK)
    link = record(queue, made, wait=30)["outcome"]["video_url"]
    running = submit(queue, LONG)
    assert bulk(queue, action="purge", ids=[made, running])["done"] == 2
    assert record(queue, made)["outcome"] is None
    assert (record(queue, running)["status"], record(queue, running)["payload"]) == ("cancelled", {})
    assert httpx2.get(link).status_code == 410
    assert "purged" in queue.post(f"/requests/{running}/retry").json()["error"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"ids": ["x"]}, "action"),
        ({"action": "explode", "ids": ["x"]}, "action"),
        ({"action": "cancel"}, "ids"),
        ({"action": "cancel", "ids": [], "expect": 0}, "ids"),
        ({"action": "cancel", "ids": [7]}, "ids"),
        ({"action": "cancel", "ids": ["x"] * 2000 + ["y"], "filter": {}}, "ids"),
        ({"action": "cancel", "ids": [str(n) for n in range(1001)]}, "ids"),
        ({"action": "cancel", "filter": {}}, "expect"),
        ({"action": "cancel", "filter": {}, "expect": True}, "expect"),
        ({"action": "cancel", "filter": {"colour": "red"}, "expect": 1}, "filter"),
        ({"action": "cancel", "filter": [], "expect": 1}, "filter"),
        ({"action": "cancel", "filter": {"status": "done"}, "expect": 1}, "status"),
        ({"action": "cancel", "filter": {"since": "yesterday"}, "expect": 1}, "since"),
        ({"action": "cancel", "filter": {"q": {"a": 1}}, "expect": 1}, "q"),
    ],
)
def test_a_wrong_bulk_body_names_what_is_wrong(queue: httpx2.Client, body: dict[str, Any], param: str) -> None:
    answer = queue.post("/requests/bulk", json=body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
