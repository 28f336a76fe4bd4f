"""A request that nobody can begin stays queued and says so."""

from pathlib import Path

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
