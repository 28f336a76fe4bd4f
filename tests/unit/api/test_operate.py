"""The operator's routes on a real database: what they show is what the store did, and what they order happens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from rushes.api.live import BELIEVED_SECONDS, Believed
from rushes.store.database import Database
from support.api import Api, Q, running_api
from support.queueing import LANE, LEASE, claim_one, failure, make_request, started, success

OPERATE = "/api/v1/operate"


@dataclass
class Platform:
    """A running API, its operator's key, and one organisation beside."""

    api: Api
    key: str
    org_id: UUID

    async def get(self, path: str) -> Any:
        """What a route shows now, whatever it showed a moment ago."""
        live = self.api.services.live
        for believed in (live.overview, live.queue, live.qworkers, live.lanes, live.hour, live.day):
            believed.forget()
        answer = await self.api.call("GET", f"{OPERATE}/{path}", self.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 200) -> Any:
        answer = await self.api.call("POST", f"{OPERATE}/{path}", self.key)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def lane(self, name: str = LANE) -> Any:
        return next(lane for lane in (await self.get("lanes"))["lanes"] if lane["lane"] == name)

    async def submit(self, count: int = 1, **changes: Any) -> list[UUID]:
        requests = self.api.services.requests
        return [(await requests.submit(make_request(self.org_id, **changes))).request_id for _ in range(count)]

    async def enrol(self, *lanes: str) -> UUID:
        qworker_id = uuid4()
        workers = self.api.services.workers
        await workers.enrol(qworker_id, host="render-1", pid=7, version="1", lanes=lanes or [LANE], slots=2)
        return qworker_id


@pytest_asyncio.fixture
async def platform(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_api(database_url, tmp_path) as api:
        operators = await api.organisation("operators", operator=True)
        yield Platform(api, await api.key(operators, scopes=["operate"]), await api.organisation("studio"))


async def test_the_overview_counts_what_waits_and_runs_and_what_has_just_happened(platform: Platform) -> None:
    requests = platform.api.services.requests
    await platform.enrol()
    await platform.submit(5)
    for ending in (success(), failure()):
        request = await started(requests)
        await requests.finish(request.request_id, request.attempt, ending)
    await started(requests)
    shown = await platform.get("overview")
    assert (shown["waiting"], shown["running"], shown["slots"], shown["held_lanes"]) == (2, 1, 2, 0)
    recent = shown["recent"]
    assert [recent[name] for name in ("submitted", "started", "finished", "failed", "cancelled")] == [5, 3, 1, 1, 0]
    assert 0 <= recent["wait_p50_seconds"] <= recent["wait_p95_seconds"] < 60


async def test_the_queue_is_told_by_lane_model_and_organisation(platform: Platform) -> None:
    await platform.submit(3)
    await platform.submit(2, model="another", lane="diffusers/another")
    request = await claim_one(platform.api.services.requests)
    rows = (await platform.get("queue"))["queue"]
    assert [(row["lane"], row["model"], row["queued"], row["running"]) for row in rows] == [
        (LANE, "rushes-test", 2, 1),
        ("diffusers/another", "another", 2, 0),
    ]
    assert {row["organisation"] for row in rows} == {"studio"}
    assert rows[0]["oldest_queued_at"] >= int(request.queued_at.timestamp())


async def test_a_qworker_is_shown_with_what_it_runs_and_its_age_by_the_server_s_clock(
    platform: Platform, database_url: str
) -> None:
    services, qworker_id = platform.api.services, await platform.enrol()
    (request_id,) = await platform.submit()
    await claim_one(services.requests, qworker_id=qworker_id)
    await services.workers.seen(qworker_id, busy=1, draining=False, loaded=["wan"], memory_bytes=5)
    (shown,) = (await platform.get("qworkers"))["qworkers"]
    assert (shown["state"], shown["loaded"], shown["memory_bytes"]) == ("busy", ["wan"], 5)
    (running,) = shown["requests"]
    assert (running["request_id"], running["attempt"], running["status"]) == (str(request_id), 1, "dispatched")
    async with services.database.connection() as connection:
        await connection.execute("UPDATE qworkers SET seen_at = clock_timestamp() - interval '40 seconds'")
    (shown,) = (await platform.get("qworkers"))["qworkers"]
    assert shown["state"] == "lost"
    assert 40 <= shown["age_seconds"] < 100
    assert (await platform.lane())["state"] == "unserved"


async def test_a_lane_is_held_and_resumed_and_both_are_events_with_their_actor(platform: Platform) -> None:
    await platform.enrol()
    await platform.submit(2)
    held = await platform.post(f"lanes/{LANE}/hold?reason=new%20driver")
    assert (held["state"], held["cause"], held["said"], held["queued"]) == ("held", "operator", "new driver", 2)
    assert await platform.api.services.requests.claim(uuid4(), [LANE], 1, LEASE) == []
    assert (await platform.post(f"lanes/{LANE}/resume"))["state"] == "open"
    await claim_one(platform.api.services.requests)
    events = (await platform.get("events"))["events"]
    actor = f"key {platform.key[4:12]}"
    assert [(e["kind"], e["subject"], e["actor"]) for e in events[:2]] == [
        ("lane.resumed", LANE, actor),
        ("lane.held", LANE, actor),
    ]
    assert events[1]["said"] == "new driver"
    assert (await platform.get(f"events?limit=1&before={events[0]['event_n']}"))["events"] == [events[1]]


async def test_a_lane_whose_name_holds_a_slash_is_reached(platform: Platform) -> None:
    await platform.submit(lane="diffusers/Wan-AI/wan2.2")
    held = await platform.post("lanes/diffusers/Wan-AI/wan2.2/hold")
    assert (held["lane"], held["engine"], held["model"]) == ("diffusers/Wan-AI/wan2.2", "diffusers", "Wan-AI/wan2.2")


async def test_a_qworker_is_paused_resumed_and_drained(platform: Platform) -> None:
    qworker_id = await platform.enrol()
    for action, ordered, state in (
        ("pause", "pause", "paused"),
        ("resume", "run", "idle"),
        ("drain", "drain", "draining"),
    ):
        told = await platform.post(f"qworkers/{qworker_id}/{action}")
        assert (told["ordered"], told["busy"]) == (ordered, 0)
        (shown,) = (await platform.get("qworkers"))["qworkers"]
        assert shown["state"] == state
    assert (await platform.post(f"qworkers/{qworker_id}/resume"))["ordered"] == "drain", "it does not come back"


@pytest.mark.parametrize(
    "path",
    ["qworkers/00000000-0000-4000-8000-000000000000/pause", "qworkers/x/drain", "lanes/nowhere/hold", "lanes//resume"],
)
async def test_what_nobody_knows_cannot_be_told_anything(platform: Platform, path: str) -> None:
    assert (await platform.post(path, 404))["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "param"),
    [
        ("GET", "series?span=week", "span"),
        ("GET", "events?limit=0", "limit"),
        ("GET", "events?before=x", "before"),
        ("POST", f"lanes/{LANE}/hold?reason=two%0Alines", "reason"),
        ("POST", f"lanes/{LANE}/hold?reason=" + "x" * 501, "reason"),
    ],
)
async def test_a_bad_value_is_refused_by_its_name(platform: Platform, method: str, path: str, param: str) -> None:
    answer = await platform.api.call(method, f"{OPERATE}/{path}", platform.key)
    assert (answer.status_code, answer.json()["param"]) == (400, param)


async def test_the_series_has_every_minute_of_the_hour_and_keeps_what_was_rolled_up(
    platform: Platform, database_url: str
) -> None:
    services = platform.api.services
    await platform.submit(3)
    request = await started(services.requests)
    await services.requests.finish(request.request_id, request.attempt, success())
    await _shift(services.database, timedelta(minutes=20))
    await services.requests.cancel(platform.org_id, (await platform.submit())[0])
    before = (await platform.get("series"))["points"]
    assert len(before) == 60
    assert {later["at"] - earlier["at"] for earlier, later in pairwise(before)} == {60}
    busy = [point for point in before if point["submitted"]]
    assert [(p["submitted"], p["started"], p["finished"], p["cancelled"]) for p in busy] == [(3, 1, 1, 0), (1, 0, 0, 1)]
    assert busy[0]["wait_p50_seconds"] is not None
    await services.operate.roll_up()
    await services.operate.roll_up()
    after = (await platform.get("series"))["points"]
    assert [point for point in after if point["submitted"]] == busy
    day = (await platform.get("series?span=day"))["points"]
    assert (len(day), sum(point["submitted"] for point in day)) == (1440, 4)
    async with services.database.connection() as connection:
        kept = await connection.fetchval("SELECT sum(submitted) FROM minutes")
    assert kept == 3, "the current minute is not over"


async def _shift(database: Database, by: timedelta) -> None:
    """Let everything have happened so much earlier, in the middle of a minute."""
    async with database.connection() as connection:
        past = datetime.now(UTC) - by
        at = past.replace(second=30, microsecond=0)
        await connection.execute("UPDATE events SET at = $1", at)
        await connection.execute("UPDATE requests SET started_at = $1 WHERE started_at IS NOT NULL", at)
        await connection.execute("UPDATE requests SET queued_at = $1::timestamptz - interval '2 seconds'", at)
        await connection.execute("DELETE FROM minutes")  # maintenance has kept them as empty


async def test_the_models_tell_what_waits_and_runs(platform: Platform) -> None:
    await platform.submit(3)
    await claim_one(platform.api.services.requests)
    key = await platform.api.key(platform.org_id)
    models = (await platform.api.call("GET", f"{Q}/models?expand=1&live=1", key)).json()["models"]
    (live,) = [model["live"] for model in models if model["model"] == "rushes-test"]
    assert (live["queued"], live["running"]) == (2, 1)


async def test_a_read_is_shared_and_believed_for_two_seconds() -> None:
    now, reads = 0.0, 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        return reads

    believed = Believed(read, lambda: now)
    assert [await believed.get() for _ in range(3)] == [1, 1, 1]
    now = BELIEVED_SECONDS
    assert await believed.get() == 2
    believed.forget()
    assert await believed.get() == 3
