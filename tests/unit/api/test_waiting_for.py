"""A request that nobody can begin stays queued and says so."""

from pathlib import Path
from uuid import uuid4

from support.api import Q, running_api


async def test_a_request_whose_engine_has_no_worker_says_what_it_waits_for(database_url: str, tmp_path: Path) -> None:
    async with running_api(database_url, tmp_path) as api:
        key = await api.key(await api.organisation("studio"))
        body = {"model": "Veo3", "payload": {"prompt": "a quiet harbour"}}
        dry = (await api.call("POST", f"{Q}/requests?dry_run=true", key, json=body)).json()
        assert dry["waiting_for"] == "no worker serves animatic at present; the request stays queued"
        request_id = (await api.call("POST", f"{Q}/requests", key, json=body)).json()["request_id"]
        record = (await api.call("GET", f"{Q}/requests/{request_id}", key)).json()
        assert (record["status"], record["engine"], record["waiting_for"]) == ("queued", "animatic", dry["waiting_for"])
        assert (await api.call("GET", f"{Q}/models/Veo3", key)).json()["available"] is False
        cancelled = (await api.call("DELETE", f"{Q}/requests/{request_id}", key)).json()
        assert cancelled["waiting_for"] is None


async def test_a_held_lane_is_told_by_record_dry_run_and_model_and_takes_submits(
    database_url: str, tmp_path: Path
) -> None:
    async with running_api(database_url, tmp_path) as api:
        org_id = await api.organisation("studio")
        key = await api.key(org_id)
        await api.services.workers.enrol(uuid4(), host="h", pid=1, version="1", lanes=["faults"], slots=1)
        assert await api.services.lanes.hold("faults", actor="someone")
        body = {"model": "rushes-test", "payload": {"prompt": "x"}}
        submitted = (await api.call("POST", f"{Q}/requests", key, json=body)).json()
        held = "faults is held by an operator until it is resumed; the request stays queued"
        record = await api.call("GET", f"{Q}/requests/{submitted['request_id']}", key)
        dry = await api.call("POST", f"{Q}/requests?dry_run=1", key, json=body)
        model = await api.call("GET", f"{Q}/models/rushes-test", key)
        assert [answer.json()["waiting_for"] for answer in (record, dry, model)] == [held] * 3
        assert model.json()["available"] is False
        await api.services.lanes.resume("faults", actor="someone")
        api.services.live.changed()
        record = await api.call("GET", f"{Q}/requests/{submitted['request_id']}", key)
        assert (record.json()["status"], record.json()["waiting_for"]) == ("queued", None)
