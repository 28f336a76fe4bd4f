"""The request routes of WIRE.md 2.3 to 2.8 and 5.1 to 5.7, spoken to over HTTP."""

import concurrent.futures
import json
import uuid
from typing import Any

import httpx2
import pytest

MODEL = "rushes-test"
QUICK = {"prompt": "wire", "seconds": 0.1, "frames": 4}


def submit(queue: httpx2.Client, payload: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    answer = queue.post("/requests", json={"model": MODEL, "payload": payload or QUICK, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def done(queue: httpx2.Client, request_id: str) -> dict[str, Any]:
    record = queue.get(f"/requests/{request_id}", params={"wait": 40}).json()
    assert record["status"] in ("success", "failed", "cancelled"), record
    return record


def test_a_submit_answers_200_with_the_short_record(queue: httpx2.Client) -> None:
    answer = queue.post("/requests", json={"model": MODEL, "payload": QUICK})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["rushes-version"]
    body = answer.json()
    assert body["status"] == "queued"
    assert uuid.UUID(body["request_id"])
    for name in ("created_at", "updated_at", "queued_at", "quote_micro_usd"):
        assert type(body[name]) is int


def test_a_success_carries_every_shape_of_its_links(queue: httpx2.Client) -> None:
    record = done(queue, submit(queue)["request_id"])
    outcome = record["outcome"]
    assert record["status"] == "success"
    assert outcome["video_url"] == outcome["media_urls"][0]["url"]
    assert outcome["media_urls"][0]["id"] == "0"
    assert outcome["thumbnail_image_url"].split("?")[0].endswith(".jpg")
    assert (record["progress"], record["error"], record["charge_micro_usd"]) == (100, None, record["quote_micro_usd"])
    assert record["expires_at"] > record["finished_at"] >= record["started_at"] >= record["created_at"]


def test_a_failure_says_why_in_both_places_and_costs_nothing(queue: httpx2.Client) -> None:
    record = done(queue, submit(queue, {**QUICK, "fail_at": 0.5, "fail_code": "content_policy"})["request_id"])
    assert record["status"] == "failed"
    assert record["outcome"]["error"] == record["error"]
    assert (record["error_code"], record["outcome"]["code"]) == ("content_policy", "content_policy")
    assert record["charge_micro_usd"] == 0


@pytest.mark.parametrize("model", ["rushes-test", "Veo3", "wan2.7-i2v", "Wan2_1"])
def test_an_empty_payload_is_a_400_that_creates_nothing(queue: httpx2.Client, model: str) -> None:
    before = queue.get("/requests", params={"model_id": model}).json()["total"]
    answer = queue.post("/requests", json={"model": model, "payload": {}})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_payload"
    assert answer.json()["param"]
    assert queue.get("/requests", params={"model_id": model}).json()["total"] == before


def test_an_unknown_model_is_a_404_with_the_nearest_ids(queue: httpx2.Client) -> None:
    answer = queue.post("/requests", json={"model": "wan2.7-i2w", "payload": {}})
    assert answer.status_code == 404
    assert "wan2.7-i2v" in answer.json()["detail"]["suggestions"]


def test_every_fault_is_named_at_once(queue: httpx2.Client) -> None:
    payload = {"prompt": "x" * 1501, "duration": 99, "resolution": "8K", "first_frame": "not a url"}
    answer = queue.post("/requests", json={"model": "wan2.7-i2v", "payload": payload})
    assert answer.status_code == 400
    assert {fault["param"] for fault in answer.json()["detail"]["errors"]} >= {"prompt", "duration", "resolution"}
    assert answer.json()["error"].startswith("invalid payload parameters: prompt (")


def test_the_same_idempotency_key_gives_the_same_answer(queue: httpx2.Client) -> None:
    key = {"Idempotency-Key": f"wire-{uuid.uuid4()}"}
    body = {"model": MODEL, "payload": QUICK}

    def call() -> httpx2.Response:
        return queue.post("/requests", json=body, headers=key)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [future.result() for future in [pool.submit(call) for _ in range(8)]]
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    reordered = json.dumps({"payload": dict(reversed(QUICK.items())), "model": MODEL})
    again = queue.post("/requests", content=reordered, headers={**key, "Content-Type": "application/json"})
    assert again.headers["idempotent-replayed"] == "true"
    other = queue.post("/requests", json={"model": MODEL, "payload": {**QUICK, "seed": 1}}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_a_refused_call_does_not_use_up_its_key(queue: httpx2.Client) -> None:
    key = {"Idempotency-Key": f"wire-{uuid.uuid4()}"}
    assert queue.post("/requests", json={"model": MODEL, "payload": {}}, headers=key).status_code == 400
    assert queue.post("/requests", json={"model": MODEL, "payload": QUICK}, headers=key).status_code == 200


def test_a_dry_run_answers_plan_and_price_and_creates_nothing(queue: httpx2.Client) -> None:
    model = "Wan-AI_Wan2.1-T2V-14B"
    before = queue.get("/requests", params={"model_id": model}).json()["total"]
    body = {"model": model, "payload": {"prompt": "a lake", "video_length": "5", "strange": 1}}
    answer = queue.post("/requests", params={"dry_run": "true"}, json=body).json()
    assert answer["valid"] is True
    assert answer["payload"]["video_length"] == 5
    assert (answer["plan"]["frames"], answer["plan"]["fps"], answer["plan"]["width"]) == (120, 24, 1280)
    assert answer["quote_micro_usd"] > 0
    assert any("strange" in warning for warning in answer["warnings"])
    assert queue.get("/requests", params={"model_id": model}).json()["total"] == before


def test_a_list_pages_by_offset_and_by_cursor_newest_first(queue: httpx2.Client) -> None:
    made = [submit(queue)["request_id"] for _ in range(5)]
    first = queue.get("/requests", params={"model_id": MODEL, "limit": 2}).json()
    assert [r["request_id"] for r in first["requests"]] == made[:-3:-1]
    assert first["has_more"] is True
    submit(queue)
    by_cursor = queue.get("/requests", params={"model": MODEL, "limit": 2, "cursor": first["next_cursor"]}).json()
    assert [r["request_id"] for r in by_cursor["requests"]] == made[2:0:-1]
    by_offset = queue.get("/requests", params={"model_id": MODEL, "limit": 2, "offset": 1}).json()
    assert by_offset["requests"][0]["request_id"] == made[-1]
    assert by_offset["total"] >= 6
    assert queue.get("/requests", params={"model_id": "no-such-model"}).json()["requests"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "x"),
        ("limit", "0"),
        ("offset", "-1"),
        ("status", "done"),
        ("since", "noon"),
        ("cursor", "zz"),
        ("id", "*"),
    ],
)
def test_a_bad_list_value_is_a_400_that_names_it(queue: httpx2.Client, name: str, value: str) -> None:
    answer = queue.get("/requests", params={name: value})
    assert (answer.status_code, answer.json()["param"]) == (400, name)


def test_a_list_is_narrowed_by_status_text_id_and_time(queue: httpx2.Client) -> None:
    word = f"needle{uuid.uuid4().hex[:8]}"
    request_id = submit(queue, {**QUICK, "prompt": f"a {word.upper()} in hay"})["request_id"]
    record = done(queue, request_id)
    for narrowed in (
        {"q": word},
        {"id": request_id[:10]},
        {"q": word, "status": "success"},
        {"q": word, "since": str(record["created_at"]), "until": str(record["created_at"] + 2)},
    ):
        found = queue.get("/requests", params=narrowed).json()["requests"]
        assert [r["request_id"] for r in found] == [request_id], narrowed
    assert queue.get("/requests", params={"q": word, "status": "failed"}).json()["total"] == 0


@pytest.mark.parametrize("wrong", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_and_a_malformed_id_get_the_same_404(queue: httpx2.Client, wrong: str) -> None:
    answer = queue.get(f"/requests/{wrong}")
    assert (answer.status_code, answer.json()["code"]) == (404, "request_not_found")


def test_a_cancel_is_at_once_and_repeatable(queue: httpx2.Client) -> None:
    request_id = submit(queue, {"frames": 24, "seconds": 20})["request_id"]
    for answer in (queue.delete(f"/requests/{request_id}"), queue.post(f"/requests/{request_id}/cancel")):
        assert answer.status_code == 200
        assert answer.json()["status"] == "cancelled"
    assert done(queue, request_id)["outcome"]["code"] == "cancelled"


def test_a_purge_forgets_what_a_request_carried(queue: httpx2.Client) -> None:
    record = done(queue, submit(queue)["request_id"])
    links = [value for key, value in record["outcome"].items() if key.endswith("_url")]
    assert len(links) == 6
    purged = queue.delete(f"/requests/{record['request_id']}", params={"purge": "true"}).json()
    assert (purged["outcome"], purged["payload"]) == (None, {})
    assert (purged["status"], purged["charge_micro_usd"]) == ("success", record["charge_micro_usd"])
    assert [queue.get(link).status_code for link in links] == [410] * 6


def test_events_are_listed_streamed_and_resumed(queue: httpx2.Client) -> None:
    request_id = submit(queue, {**QUICK, "seconds": 1})["request_id"]
    live = list(stream(queue, request_id))
    types = [event["type"] for _, event in live if event["type"] != "request.progress"]
    assert types[-1] == "request.success"
    assert live[-1][1]["outcome"]["video_url"]
    listed = queue.get(f"/requests/{request_id}/events").json()["events"]
    assert [event["type"] for event in listed] == [
        "request.queued",
        "request.dispatched",
        "request.processing",
        "request.success",
    ]
    resumed = list(stream(queue, request_id, last=listed[1]["event_id"]))
    assert [event_id for event_id, _ in resumed] == [listed[2]["event_id"], listed[3]["event_id"]]


def stream(queue: httpx2.Client, request_id: str, last: str = "") -> Any:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
    event_id = None
    with queue.stream("GET", f"/requests/{request_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("data: "):
                yield event_id, json.loads(line[6:])
                event_id = None


def test_options_beside_the_payload_are_checked_and_echoed(queue: httpx2.Client) -> None:
    record = done(queue, submit(queue, metadata={"order": 7}, expires_after=120)["request_id"])
    assert record["metadata"] == {"order": 7}
    assert record["expires_at"] - record["finished_at"] == pytest.approx(120, abs=1)
    for name, value in (("metadata", [1]), ("priority", "high"), ("webhook_url", "ftp://x"), ("expires_after", 1)):
        answer = queue.post("/requests", json={"model": MODEL, "payload": QUICK, name: value})
        assert (answer.status_code, answer.json()["param"]) == (400, name)


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (402, "insufficient_credits"), (503, "unavailable")]
)
def test_ordered_refusals_look_like_real_ones(queue: httpx2.Client, status: int, code: str) -> None:
    payload = {"prompt": "x", "rushes_fault": {"http": status}}
    answer = queue.post("/requests", json={"model": "Wan-AI_Wan2.1-T2V-14B", "payload": payload})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (status in (429, 503))


def test_ordered_failures_work_on_any_model(queue: httpx2.Client) -> None:
    payload = {"prompt": "a lake", "rushes_fault": {"fail": "upstream_error", "at": 40}}
    answer = queue.post("/requests", json={"model": "Wan-AI_Wan2.1-T2V-14B", "payload": payload})
    record = done(queue, answer.json()["request_id"])
    assert (record["status"], record["error_code"], record["retryable"]) == ("failed", "upstream_error", True)


def test_a_lost_worker_on_order_costs_one_attempt(queue: httpx2.Client) -> None:
    request_id = submit(queue, {**QUICK, "rushes_fault": {"lose_worker": True}})["request_id"]
    record = done(queue, request_id)
    assert (record["status"], record["attempt"]) == ("success", 2)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Key", "KEY"])
def test_every_documented_scheme_is_taken(queue: httpx2.Client, scheme: str) -> None:
    key = queue.headers["authorization"].partition(" ")[2]
    headers = {"Authorization": f"{scheme} {key}", "X-Organization-ID": "of-another-cloud", "CE-ClientId": "x"}
    assert queue.get("/requests?source_product=x", headers=headers).status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer gmi_wrong", "Basic Zm9v", "Bearer " + "x" * 5000])
def test_a_bad_credential_is_a_401_with_a_challenge(queue: httpx2.Client, value: str) -> None:
    answer = queue.get("/requests", headers={"Authorization": value})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_routing_forgives_a_trailing_slash_and_names_the_right_methods(queue: httpx2.Client) -> None:
    assert queue.get("/models/").status_code == 200
    answer = queue.put("/requests")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(",", " ").split())
    assert answer.json()["code"] == "method_not_allowed"
    missing = queue.get("/nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
