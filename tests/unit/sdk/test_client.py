"""The verbs of both clients against a scripted server."""

from __future__ import annotations

import asyncio

import pytest
from gmicloud import AsyncClient, Client, SubmitRequestRequest
from gmicloud.errors import (
    ConfigurationError,
    ContentPolicyError,
    InvalidRequestError,
    NotFoundError,
    RequestCancelledError,
    RequestFailedError,
    UnsupportedError,
    WaitTimeout,
)

from tests.unit.sdk.conftest import KEY, Reply, Wire


def test_models_come_as_objects_with_the_documented_attributes(client: Client) -> None:
    (model,) = client.video_manager.get_models()
    assert (model.model, model.brief_description, model.price_info.usd) == ("wan2.7-i2v", "image to video", 0.15)
    duration = model.parameters[-1]
    assert (duration.key, duration.name, duration.min, duration.max) == ("duration", "duration", 2, 15)


def test_ids_alone_are_completed_from_the_catalogue_of_the_documented_service(wire: Wire, client: Client) -> None:
    wire.ours = False
    (model,) = client.video_manager.get_models()
    assert model.engine == "animatic"
    assert wire.paths()[-1] == "GET /api/v1/ie/requestqueue/models"


def test_ids_alone_are_still_a_list_when_the_catalogue_cannot_be_read(wire: Wire, client: Client) -> None:
    wire.ours = False
    wire.script("GET", "requestqueue/models$", Reply(403, {"error": "no"}))
    assert [model.model for model in client.video_manager.get_models()] == ["wan2.7-i2v"]


def test_an_empty_model_list_is_an_empty_list(wire: Wire, client: Client) -> None:
    wire.script("GET", "/models$", Reply(200, {"models": None}))
    assert client.video_manager.get_models() == []


def test_an_unknown_model_names_the_nearest_ones(client: Client) -> None:
    with pytest.raises(NotFoundError, match="Model not found") as caught:
        client.video_manager.get_model_detail("wan2.7")
    assert caught.value.suggestions == ["wan2.7-i2v"]
    assert (caught.value.code, caught.value.status_code) == ("model_not_found", 404)


def test_a_model_id_with_slashes_and_spaces_reaches_its_route(wire: Wire, client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.video_manager.get_model_detail("Wan-AI/Wan 2.1")
    assert wire.calls[-1].path.endswith("/models/Wan-AI/Wan%202.1")


@pytest.mark.parametrize("model_id", ["", "..", "a/../b", "a//b"])
def test_a_model_id_cannot_walk_to_another_route(wire: Wire, client: Client, model_id: str) -> None:
    with pytest.raises(InvalidRequestError, match="model id"):
        client.video_manager.get_model_detail(model_id)
    assert wire.calls == []


def test_the_documented_loop_ends(wire: Wire, client: Client) -> None:
    made = client.video_manager.create_request(SubmitRequestRequest(model="wan2.7-i2v", payload={"prompt": "x"}))
    seen: list[str] = []
    while True:
        detail = client.video_manager.get_request_detail(made.request_id)
        assert detail is not None
        seen.append(f"{detail.status}")
        if detail.status == "success":
            break
    assert seen == ["queued", "processing", "success"]
    assert detail.outcome is not None
    assert detail.outcome["video_url"] == detail.video_url


def test_an_unknown_request_is_none_and_other_refusals_raise(wire: Wire, client: Client) -> None:
    assert client.video_manager.get_request_detail("no-such-request") is None
    wire.script("GET", "/requests/", Reply(403, {"error": "This key lacks the scope", "code": "forbidden"}))
    with pytest.raises(Exception, match="lacks the scope"):
        client.video_manager.get_request_detail("no-such-request")


@pytest.mark.parametrize(("model", "payload"), [("", {"prompt": "x"}), ("  ", {"prompt": "x"}), ("wan2.7-i2v", {})])
def test_an_empty_model_or_payload_is_a_value_error_and_never_sent(
    wire: Wire, client: Client, model: str, payload: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"model must be|payload must hold"):
        client.video_manager.create_request(SubmitRequestRequest(model=model, payload=payload))
    assert wire.calls == []


def test_every_400_is_a_value_error_with_all_faults(wire: Wire, client: Client) -> None:
    fault = {"param": "duration", "code": "range", "message": "Must be between 2 and 15", "allowed": [2, 15]}
    body = {"error": "invalid payload parameters: duration (Must be between 2 and 15)", "code": "invalid_payload"}
    body |= {"param": "duration", "retryable": False, "detail": {"errors": [fault]}}
    wire.script("POST", "/requests$", Reply(400, body))
    with pytest.raises(ValueError, match="Must be between 2 and 15") as caught:
        client.submit("wan2.7-i2v", duration=99)
    assert isinstance(caught.value, InvalidRequestError)
    assert (caught.value.param, caught.value.errors) == ("duration", [fault])


def test_a_content_policy_refusal_has_its_own_type(wire: Wire, client: Client) -> None:
    wire.script("POST", "/requests$", Reply(400, {"error": "content policy violation", "code": "content_policy"}))
    with pytest.raises(ContentPolicyError):
        client.submit("wan2.7-i2v", prompt="x")


def test_generate_waits_and_tells_each_step(client: Client) -> None:
    seen: list[str] = []
    record = client.generate("wan2.7-i2v", prompt="x", on_progress=lambda one: seen.append(str(one.status)))
    assert seen == ["queued", "processing", "success"]
    assert record.video_url


def test_a_failed_request_raises_with_its_code_and_record(wire: Wire, client: Client) -> None:
    wire.plan("request-0", "queued", "failed")
    with pytest.raises(RequestFailedError, match="out of memory") as caught:
        client.generate("wan2.7-i2v", prompt="x")
    assert (caught.value.code, caught.value.request_id) == ("out_of_memory", "request-0")
    assert caught.value.record.status == "failed"


def test_a_cancelled_request_raises_its_own_type(wire: Wire, client: Client) -> None:
    wire.plan("request-0", "cancelled")
    with pytest.raises(RequestCancelledError):
        client.generate("wan2.7-i2v", prompt="x")


def test_waiting_itself_never_raises_for_a_failure(wire: Wire, client: Client) -> None:
    assert client.wait(wire.plan("r", "failed")).status == "failed"


def test_a_wait_that_is_over_names_the_request_and_can_be_repeated(wire: Wire, client: Client) -> None:
    wire.plan("r", "processing", "success")
    with pytest.raises(WaitTimeout) as caught:
        client.wait("r", timeout=1e-9)
    assert (caught.value.request_id, caught.value.record.status) == ("r", "processing")
    assert client.wait(caught.value.request_id).status == "success"


def test_submit_options_travel_beside_the_payload(wire: Wire, client: Client) -> None:
    options = {"metadata": {"shot": 3}, "webhook_url": "https://example.test/hook", "idempotency_key": "mine"}
    client.submit("wan2.7-i2v", {"prompt": "x"}, options=options, duration=5)
    call = wire.calls[-1]
    assert call.json == {
        "model": "wan2.7-i2v",
        "payload": {"prompt": "x", "duration": 5},
        "metadata": {"shot": 3},
        "webhook_url": "https://example.test/hook",
    }
    assert call.headers["idempotency-key"] == "mine"


@pytest.mark.parametrize("key", ["two words", "ä", "x" * 256, "a\nb"])
def test_an_idempotency_key_that_cannot_be_sent_is_refused_at_once(wire: Wire, client: Client, key: str) -> None:
    with pytest.raises(InvalidRequestError, match="idempotency_key"):
        client.submit("wan2.7-i2v", prompt="x", options={"idempotency_key": key})
    assert wire.calls == []


def test_a_dropped_answer_is_repeated_under_the_same_key_and_makes_one_request(wire: Wire, client: Client) -> None:
    wire.script("POST", "/requests$", Reply(500, {"error": "Internal error", "code": "internal", "retryable": True}))
    client.submit("wan2.7-i2v", prompt="x")
    keys = [call.headers["idempotency-key"] for call in wire.calls if call.method == "POST"]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(wire.submitted) == 1


def test_the_documented_service_is_not_asked_twice_for_one_paid_request(wire: Wire, client: Client) -> None:
    wire.ours = False
    wire.script("POST", "/requests$", Reply(500, {"error": "Backend error (502)."}))
    with pytest.raises(Exception, match=r"Backend error.*not known whether the server acted"):
        client.submit("wan2.7-i2v", prompt="x")
    assert wire.paths().count("POST /api/v1/ie/requestqueue/apikey/requests") == 1


def test_a_request_too_many_waits_as_long_as_the_server_asks(wire: Wire, client: Client) -> None:
    wire.script("POST", "/requests$", Reply(429, {"error": "Rate limit reached"}, {"Retry-After": "0.1"}))
    assert client.submit("wan2.7-i2v", prompt="x").status == "queued"


def test_estimate_is_a_dry_run(wire: Wire, client: Client) -> None:
    estimate = client.estimate("wan2.7-i2v", prompt="x")
    assert estimate.usd == 0.15
    assert wire.calls[-1].query == {"dry_run": ["true"]}
    assert wire.submitted == {}


def test_no_dry_run_is_sent_where_it_would_be_a_paid_request(wire: Wire, client: Client) -> None:
    wire.ours = False
    with pytest.raises(UnsupportedError):
        client.estimate("wan2.7-i2v", prompt="x")
    assert all(call.method == "GET" for call in wire.calls)


@pytest.mark.parametrize("ours", [True, False])
def test_cancel_returns_the_record_whatever_delete_answers(wire: Wire, client: Client, ours: bool) -> None:
    wire.ours = ours
    wire.plan("r", "processing")
    assert client.cancel("r").status == "cancelled"


def test_all_pages_of_requests_are_read(wire: Wire, client: Client) -> None:
    for number in range(250):
        wire.plan(f"r{number}", "success")
    assert len(client.video_manager.get_requests("wan2.7-i2v")) == 250
    assert len(client.video_manager.get_requests(limit=120, status=["success", "failed"])) == 120
    assert wire.calls[-1].query == {"limit": ["20"], "status": ["success", "failed"], "offset": ["100"]}


def test_a_list_that_never_ends_is_left(wire: Wire, client: Client) -> None:
    page = {"requests": [wire.record("r", "success")], "has_more": True, "next_cursor": "again"}
    wire.script("GET", "/requests$", *[Reply(200, page) for _ in range(5)])
    assert len(client.video_manager.get_requests()) == 1
    assert len(wire.calls) == 2


def test_a_client_can_be_used_again_after_closing(client: Client) -> None:
    client.video_manager.get_models()
    client.close()
    assert client.video_manager.get_models()


@pytest.mark.parametrize("arguments", [{"timeout": 0}, {"timeout": float("nan")}, {"max_retries": -1}])
def test_settings_that_make_no_sense_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=r"timeout|max_retries"):
        Client(api_key=KEY, **arguments)  # type: ignore[arg-type]


async def test_the_async_client_has_the_same_verbs(wire: Wire, async_client: AsyncClient) -> None:
    seen: list[str] = []

    async def note(record: object) -> None:
        await asyncio.sleep(0)
        seen.append(str(getattr(record, "status", "")))

    record = await async_client.generate("wan2.7-i2v", prompt="x", on_progress=note)
    assert seen == ["queued", "processing", "success"]
    manager = async_client.video_manager
    assert [model.model for model in await manager.get_models()] == ["wan2.7-i2v"]
    assert (await manager.get_model_detail("wan2.7-i2v")).model == "wan2.7-i2v"
    assert await manager.get_request_detail("no-such-request") is None
    assert [one.request_id for one in await manager.get_requests("wan2.7-i2v")] == [record.request_id]
    made = await manager.create_request(SubmitRequestRequest(model="wan2.7-i2v", payload={"prompt": "y"}))
    assert (await async_client.cancel(made)).status == "cancelled"
    assert (await async_client.estimate("wan2.7-i2v", prompt="x")).quote_micro_usd == 150000
    assert (await async_client.submit("wan2.7-i2v", prompt="z")).status == "queued"


async def test_many_requests_run_side_by_side(async_client: AsyncClient) -> None:
    records = await asyncio.gather(*(async_client.generate("wan2.7-i2v", prompt=str(n)) for n in range(20)))
    assert len({record.request_id for record in records}) == 20


def test_both_clients_offer_the_same_verbs_with_the_same_arguments() -> None:
    import inspect

    for name, verb in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            there = inspect.signature(getattr(AsyncClient, name))
            assert list(inspect.signature(verb).parameters) == list(there.parameters), name


def test_a_client_that_is_dropped_closes_its_connections(wire: Wire) -> None:
    client = Client(api_key=KEY, base_url=wire.url)
    client.video_manager.get_models()
    connection = client._sender._connected()
    del client
    assert connection.is_closed


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "not finite"),
        ("\ud800", "not valid Unicode"),
        ({1, 2}, "a set"),
        ([object()], "not a number, text, list or object"),
        ({"deep": b"bytes"}, "not a number, text, list or object"),
    ],
)
def test_what_is_no_json_is_refused_by_name(wire: Wire, client: Client, value: object, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words) as caught:
        client.submit("wan2.7-i2v", prompt="x", cfg_scale=value)
    assert caught.value.param == "cfg_scale"
    with pytest.raises(InvalidRequestError, match="metadata"):
        client.submit("wan2.7-i2v", prompt="x", options={"metadata": {"value": value}})
    assert wire.submitted == {}
