"""T22: rates, quotas, money and fairness."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from rushes.accounts.rates import Rates
from support.api import Api, Q, S, running_api
from support.queueing import LANE, LEASE, make_request

PRICE = 150_000
SHOT = {"model": "wan2.7-i2v", "payload": {"prompt": "a quiet harbour", "first_frame": "http://x.example/a.png"}}
FREE = {"model": "rushes-test", "payload": {"prompt": "x"}}


async def submit(api: Api, key: str, body: dict[str, Any] = FREE, query: str = "") -> Any:
    return await api.call("POST", f"{Q}/requests{query}", key, json=body)


async def limit(api: Api, org_id: UUID, **limits: int) -> None:
    await api.services.accounts.set_limits(org_id, limits, None)


async def test_without_a_limit_nothing_is_counted(api: Api) -> None:
    key = await api.key(await api.organisation("studio"))
    answers = [await submit(api, key, query="?dry_run=1") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_the_submit_rate_is_kept_per_key_and_told_in_headers(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path, submits_per_minute=3) as api:
        org_id = await api.organisation("studio")
        key, other = await api.key(org_id), await api.key(org_id)
        answers = [await submit(api, key) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"submit";q=3;w=60'}
        refused = answers[-1]
        assert (refused.json()["code"], refused.json()["retryable"]) == ("rate_limited", True)
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert (await submit(api, other)).status_code == 200


async def test_the_poll_rate_is_counted_by_itself(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path, submits_per_minute=1, polls_per_minute=2) as api:
        key = await api.key(await api.organisation("studio"))
        request_id = (await submit(api, key)).json()["request_id"]
        polls = [await api.call("GET", f"{Q}/requests/{request_id}", key) for _ in range(3)]
        assert [answer.status_code for answer in polls] == [200, 200, 429]
        assert polls[0].headers["ratelimit-policy"] == '"poll";q=2;w=60'


async def test_a_limit_of_the_organisation_beats_the_setting(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path, submits_per_minute=100) as api:
        org_id = await api.organisation("studio")
        await limit(api, org_id, submits_per_minute=1)
        key = await api.key(org_id)
        assert [(await submit(api, key)).status_code for _ in range(2)] == [200, 429]
        # Dry runs have a rate of their own, ten times as high.
        assert (await submit(api, key, query="?dry_run=1")).status_code == 200


async def test_a_person_has_the_limits_of_the_organisation_they_act_for(api: Api) -> None:
    org_id = await api.organisation("studio")
    await limit(api, org_id, submits_per_minute=1)
    await api.person("ann@x.test", org_id)
    token = (await api.log_in("ann@x.test"))["accessToken"]
    statuses = [(await api.call("POST", f"{S}/requests", token, json=FREE)).status_code for _ in range(2)]
    assert statuses == [200, 429]


def test_a_rate_of_nought_lets_nobody_through() -> None:
    assert Rates().hit("submit", "somebody", 0)[:2] == (False, 0)


async def test_fifty_parallel_submits_with_money_for_ten_accept_exactly_ten(api: Api) -> None:
    org_id = await api.organisation("studio", balance_micro=10 * PRICE)
    key = await api.key(org_id)
    answers = await asyncio.gather(*(submit(api, key, SHOT) for _ in range(50)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(402)) == (10, 40)
    refused = next(answer for answer in answers if answer.status_code == 402).json()
    assert (refused["code"], refused["retryable"]) == ("insufficient_credits", False)
    assert refused["error"].startswith("Insufficient credits.")
    row = await api.services.accounts.organisation(org_id)
    assert row is not None
    assert (row["balance_micro"], row["held_micro"], row["unfinished"]) == (10 * PRICE, 10 * PRICE, 10)


async def test_fifty_parallel_submits_of_a_key_with_room_for_ten_accept_exactly_ten(api: Api) -> None:
    org_id = await api.organisation("studio")
    key, other = await api.key(org_id, spend_limit_micro=10 * PRICE), await api.key(org_id)
    answers = await asyncio.gather(*(submit(api, key, SHOT) for _ in range(50)), submit(api, other, SHOT))
    statuses = [answer.status_code for answer in answers[:50]]
    assert (statuses.count(200), statuses.count(402)) == (10, 40)
    assert answers[50].status_code == 200
    refused = next(answer for answer in answers if answer.status_code == 402).json()
    assert refused["error"] == "Insufficient credits. This key has reached its spending limit"


async def test_fifty_parallel_submits_into_a_queue_of_ten_accept_exactly_ten(api: Api) -> None:
    org_id = await api.organisation("studio")
    await limit(api, org_id, max_queued=10)
    key = await api.key(org_id)
    answers = await asyncio.gather(*(submit(api, key) for _ in range(50)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (10, 40)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "too_many_queued"
    assert int(refused.headers["retry-after"]) >= 1


async def test_a_cancel_gives_the_money_back(api: Api) -> None:
    org_id = await api.organisation("studio", balance_micro=PRICE)
    key = await api.key(org_id)
    request_id = (await submit(api, key, SHOT)).json()["request_id"]
    assert (await submit(api, key, SHOT)).status_code == 402
    assert (await api.call("DELETE", f"{Q}/requests/{request_id}", key)).json()["charge_micro_usd"] == 0
    assert (await submit(api, key, SHOT)).status_code == 200


async def test_a_bad_payload_is_told_before_the_money_and_nothing_is_held(api: Api) -> None:
    org_id = await api.organisation("studio", balance_micro=0)
    key = await api.key(org_id)
    assert (await submit(api, key, {"model": "wan2.7-i2v", "payload": {}})).status_code == 400
    assert (await submit(api, key, SHOT)).status_code == 402
    assert (await submit(api, key, SHOT, "?dry_run=1")).json()["quote_micro_usd"] == PRICE
    row = await api.services.accounts.organisation(org_id)
    assert row is not None
    assert (row["held_micro"], row["unfinished"]) == (0, 0)


async def test_an_organisation_with_a_long_queue_does_not_hold_up_another(api: Api) -> None:
    first, second = await api.organisation("first"), await api.organisation("second")
    requests = api.services.requests
    for _ in range(300):
        await requests.submit(make_request(first, webhook_url=None))
    wanted = await requests.submit(make_request(second, webhook_url=None))
    claimed = [await requests.claim(uuid4(), [LANE], 1, LEASE) for _ in range(2)]
    assert wanted.request_id in [request.request_id for (request,) in claimed]


@pytest.fixture
async def uploads(database_url: str, tmp_path: Path) -> Any:
    """An application that takes 5,000 bytes of uploads a day, and a key of an organisation that has sent 4,000."""
    async with running_api(database_url, tmp_path, upload_bytes_per_day=5000) as api:
        org_id = await api.organisation("studio")
        async with api.services.database.connection() as connection:
            await connection.execute(
                "INSERT INTO files (file_id, org_id, token, kind, content_type, path, size_bytes, stored_at)"
                " VALUES ($1, $2, 'x', 'image', 'image/png', 'x', 4000, clock_timestamp() - interval '23 hours')",
                uuid4(),
                org_id,
            )
        yield api, org_id, await api.key(org_id)


async def test_upload_bytes_of_a_day_are_told_in_headers(uploads: Any) -> None:
    api, _, key = uploads
    answer = await api.call("POST", f"{Q}/upload-url", key, json={"file_type": "png"})
    assert answer.headers["ratelimit-policy"] == '"upload";q=5000;qu="content-bytes";w=86400'
    name, left, reset = answer.headers["ratelimit"].split(";")
    assert (name, left) == ('"upload"', "r=1000")
    assert 3500 < int(reset.removeprefix("t=")) <= 3600


async def test_an_upload_past_the_bytes_of_a_day_is_refused_however_it_comes(uploads: Any) -> None:
    api, org_id, key = uploads
    sent = {"file": ("a.png", b"x" * 2000)}
    posted = await api.call("POST", f"{Q}/files", key, files=sent)
    assert (posted.status_code, posted.json()["code"]) == (429, "rate_limited")
    assert 3500 < int(posted.headers["retry-after"]) <= 3600
    # A place that was given while there was room is no way around.
    place = (await api.call("POST", f"{Q}/upload-url", key, json={"file_type": "png"})).json()
    put = await api.client.put(place["upload_url"], content=b"x" * 2000)
    assert (put.status_code, "<Code>SlowDown</Code>" in put.text) == (429, True)
    await limit(api, org_id, upload_bytes_per_day=4000)
    api.services.keys.forget_all()
    assert (await api.call("POST", f"{Q}/upload-url", key, json={"file_type": "png"})).status_code == 429


async def test_usage_is_added_up_by_day_model_and_key_for_its_organisation_alone(api: Api) -> None:
    org_id, other = await api.organisation("studio", balance_micro=10**9), await api.organisation("other")
    key, stranger = await api.key(org_id), await api.key(other)
    async with api.services.database.connection() as connection:
        for model, charge, day in (("a", 1000, 3), ("a", 2000, 4), ("b", 4000, 4)):
            request = await api.services.requests.submit(
                make_request(org_id, model=model, key_id=key[4:12], quote_micro=charge)
            )
            await connection.execute(
                "INSERT INTO usage_rows (request_id, org_id, key_id, model, engine, seconds, run_seconds, wait_seconds,"
                " charge_micro, at) VALUES ($1, $2, $3, $4, 'faults', 2.5, 1, 0, $5, make_timestamptz(2026, 11, $6, 23,"
                " 59, 59.9, 'UTC'))",
                request.request_id,
                org_id,
                key[4:12],
                model,
                charge,
                day,
            )
    span = "since=2026-11-03&until=1793836800"  # 5 November 2026, 00:00 UTC

    async def rows(by: str, credential: str = key) -> Any:
        return (await api.call("GET", f"{Q}/usage?{by}&{span}", credential)).json()["rows"]

    def shown(found: Any, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(row[name] for name in names) for row in found]

    by_day = await rows("by=day")
    assert shown(by_day, "day", "requests", "charge_micro_usd") == [("2026-11-03", 1, 1000), ("2026-11-04", 2, 6000)]
    assert set(by_day[0]) == {"day", "requests", "seconds", "run_seconds", "charge_micro_usd"}
    assert shown(await rows("by=model"), "model", "seconds", "charge_micro_usd") == [("a", 5.0, 3000), ("b", 2.5, 4000)]
    assert shown(await rows("by=key"), "key_id", "requests") == [(key[4:12], 3)]
    assert len(await rows("by=day,model")) == 3
    assert await rows("by=day", stranger) == []
    whole = (await api.call("GET", f"{Q}/usage?{span}", key)).json()
    assert whole["total"] == {"requests": 3, "seconds": 7.5, "run_seconds": 3.0, "charge_micro_usd": 7000}
    assert (whole["balance_micro_usd"], whole["held_micro_usd"]) == (10**9, 7000)
    until = await api.call("GET", f"{Q}/usage?since=2026-11-04&until=2026-11-04T23:59:59.9", key)
    assert until.json()["rows"] == []  # what happened at that moment is not before it


async def test_a_span_of_usage_that_makes_no_sense_names_its_field(api: Api) -> None:
    key = await api.key(await api.organisation("studio"))
    for query, param in (
        ("by=colour", "by"),
        ("since=yesterday", "since"),
        ("until=99999999999999999999", "until"),
        ("since=2026-11-05&until=2026-11-04", "since"),
        ("until=0001-01-01", "since"),
    ):
        answer = await api.call("GET", f"{Q}/usage?{query}", key)
        assert (answer.status_code, answer.json()["param"]) == (400, param), query
