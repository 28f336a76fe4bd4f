"""T29: what only the server may say never comes from a body."""

import uuid
from typing import Any

import httpx2
import pytest
from gmicloud.local import LocalServer

QUEUE = "/api/v1/ie/requestqueue/apikey"
OURS: dict[str, Any] = {
    "request_id": str(uuid.UUID(int=1)),
    "org_id": str(uuid.UUID(int=2)),
    "user_id": str(uuid.UUID(int=3)),
    "key_id": "AAAAAAAA",
    "status": "success",
    "is_public": True,
    "outcome": {"video_url": "http://127.0.0.1/forged.mp4"},
    "error": "forged",
    "error_code": "forged",
    "attempt": 99,
    "tries": -99,
    "progress": 100,
    "stage": "uploading",
    "engine": "forged",
    "lane": "forged",
    "qworker_id": str(uuid.UUID(int=4)),
    "plan": {"seconds": 0},
    "price": 0,
    "quote_micro": 1,
    "quote_micro_usd": 1,
    "charge_micro_usd": 1,
    "cost": 1,
    "created_at": 1,
    "queued_at": 1,
    "finished_at": 1,
    "expires_at": 9_999_999_999,
    "purged_at": 1,
    "event_n": 99,
    "start_tag": -1e9,
    "not_before": 1,
}


@pytest.fixture(scope="module")
def client(gmicloud_server: LocalServer):
    headers = {"Authorization": f"Bearer {gmicloud_server.api_key}"}
    with httpx2.Client(base_url=gmicloud_server.base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize("where", ["beside the payload", "in the payload", "in the flat body", "in the query"])
def test_nothing_that_is_ours_is_taken_from_a_caller(client: httpx2.Client, where: str) -> None:
    payload = {"prompt": "honest", "seconds": 30}
    plain = client.post(f"{QUEUE}/requests", json={"model": "rushes-test", "payload": payload}).json()["request_id"]
    match where:
        case "beside the payload":
            made = client.post(f"{QUEUE}/requests", json={"model": "rushes-test", "payload": payload, **OURS})
        case "in the payload":
            made = client.post(f"{QUEUE}/requests", json={"model": "rushes-test", "payload": {**payload, **OURS}})
        case "in the flat body":
            made = client.post("/video/rushes-test", json={**payload, **OURS})
        case _:
            given = {name: str(value) for name, value in OURS.items()}
            made = client.post(f"{QUEUE}/requests", params=given, json={"model": "rushes-test", "payload": payload})
    assert made.status_code == 200, made.text
    honest, record = (client.get(f"{QUEUE}/requests/{each}").json() for each in (plain, made.json()["request_id"]))
    for request_id in (honest["request_id"], record["request_id"]):
        client.delete(f"{QUEUE}/requests/{request_id}")
    same = ("org_id", "user_id", "is_public", "engine", "quote_micro_usd", "model", "outcome", "error", "error_code")
    assert {name: record[name] for name in same} == {name: honest[name] for name in same}
    assert record["request_id"] != OURS["request_id"]
    assert record["status"] in ("queued", "dispatched", "processing")
    assert record["created_at"] > 1_700_000_000
    assert (record["attempt"] <= 1, record["charge_micro_usd"], record["expires_at"]) == (True, None, None)
