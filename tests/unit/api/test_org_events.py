"""GET events: an organisation's log and its live stream, on the real application."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from rushes.api import org_events
from rushes.store.requests import Requests
from support.api import Api, Q, S, running_api
from support.queueing import failure, make_request, started
from support.streams import Stream, opened


@dataclass
class Org:
    """An organisation with a key, and the queue it uses."""

    api: Api
    org_id: UUID
    key: str

    @property
    def requests(self) -> Requests:
        return self.api.services.requests

    def stream(self, query: str = "", **headers: str) -> "asyncio.AbstractAsyncContextManager[Stream]":
        return opened(self.api.app, f"{S}/events{query}", self.key, **headers)

    async def submit(self, model: str = "rushes-test") -> UUID:
        return (await self.requests.submit(make_request(self.org_id, model=model))).request_id

    async def finish(self) -> None:
        request = await started(self.requests)
        assert await self.requests.finish(request.request_id, request.attempt, failure())


@pytest.fixture
async def org(database_url: str, tmp_path: Path) -> AsyncIterator[Org]:
    async with running_api(database_url, tmp_path) as api:
        org_id = await api.organisation("studio")
        yield Org(api, org_id, await api.key(org_id))


async def test_a_stream_begins_with_a_marker_and_tells_what_happens_from_then_on(org: Org) -> None:
    await org.submit()
    async with org.stream() as stream:
        assert (stream.status, stream.headers["content-type"][:17]) == (200, "text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        marker = await stream.next()
        assert marker is not None
        assert (marker.event, marker.data["resumed"]) == ("snapshot", False)
        assert marker.id
        await org.finish()
        event = await stream.until("request.failed")
    types = [message.event for message in stream.seen if message.event != "request.progress"]
    assert types == ["snapshot", "request.dispatched", "request.processing", "request.failed"]
    assert event.data["model"] == "rushes-test"
    assert (event.data["error_code"], event.data["outcome"]["code"]) == ("engine_lost", "engine_lost")
    assert event.data["event_id"].endswith("_4")


async def test_a_stream_resumes_after_the_last_id_it_was_given(org: Org) -> None:
    async with org.stream() as stream:
        first = await org.submit()
        await stream.until("request.queued")
        last = stream.id
    second = await org.submit()
    await org.finish()
    async with org.stream(last_event_id=last) as stream:
        await stream.until("request.failed")
    assert stream.seen[0].data["resumed"] is True
    told = [message.data["request_id"] for message in stream.seen if message.event == "request.queued"]
    assert told == [str(second)]
    done = stream.seen[-1].data["request_id"]
    assert done == str(first)


@pytest.mark.parametrize("last", ["evt_x_1", "99999999999", "0", "'; DROP TABLE events"])
async def test_an_id_that_leads_nowhere_begins_anew_and_says_so(org: Org, last: str) -> None:
    async with org.stream(last_event_id=last) as stream:
        marker = await stream.next()
    assert marker is not None
    assert marker.data["resumed"] is False


async def test_another_process_resumes_what_the_first_began(org: Org, database_url: str, tmp_path: Path) -> None:
    async with org.stream() as stream:
        await stream.next()
        last = stream.id
    await org.submit()
    async with (
        running_api(database_url, tmp_path / "other") as other,
        opened(other.app, f"{Q}/events", org.key, last_event_id=last) as stream,
    ):
        assert (await stream.until("request.queued")).data["request_id"]


async def test_a_model_narrows_the_stream_and_the_log(org: Org) -> None:
    async with org.stream("?model_id=RUSHES-TEST") as stream:
        await stream.next()
        await org.submit("another")
        await org.submit()
        event = await stream.next()
    assert event is not None
    assert event.data["model"] == "rushes-test"
    listed = (await org.api.call("GET", f"{S}/events?model_id=another", org.key)).json()["events"]
    assert [each["model"] for each in listed] == ["another"]


async def test_progress_is_told_while_a_request_runs(org: Org) -> None:
    await org.submit()
    async with org.stream() as stream:
        request = await started(org.requests)
        for progress in (20, 70):
            await org.requests.progress(request.request_id, request.attempt, progress, "generating")
            message = await stream.until("request.progress")
            while message.data["progress"] != progress:
                message = await stream.until("request.progress")
            assert (message.data["stage"], message.data["event_id"]) == ("generating", None)


async def test_progress_comes_at_most_twice_a_second_for_each_request(org: Org) -> None:
    await org.submit()
    request = await started(org.requests)
    async with org.stream() as stream:
        begun = time.monotonic()
        for progress in range(1, 60):
            await org.requests.progress(request.request_id, request.attempt, progress, "generating")
            await org.submit()  # each of these wakes the stream
        await org.requests.progress(request.request_id, request.attempt, 90, "uploading")
        while (await stream.until("request.progress")).data["progress"] != 90:
            pass
        took = time.monotonic() - begun
    told = [message for message in stream.seen if message.event == "request.progress"]
    assert len(told) <= 2 * took + 2


async def test_another_organisation_hears_nothing(org: Org) -> None:
    other = await org.api.organisation("other")
    async with opened(org.api.app, f"{S}/events", await org.api.key(other)) as stream:
        await stream.next()
        await org.submit()
        await org.requests.submit(make_request(other))
        event = await stream.until("request.queued")
    assert len(stream.seen) == 2
    row = await org.requests.get(other, UUID(event.data["request_id"]))
    assert row is not None


async def test_a_client_that_does_not_read_costs_no_memory_and_misses_nothing(org: Org) -> None:
    async with org.stream() as stream:
        ids = [await org.submit() for _ in range(300)]
        told: list[str] = []
        while len(told) < len(ids):
            told.append((await stream.until("request.queued")).data["request_id"])
    assert sorted(told) == sorted(map(str, ids))


async def test_a_revoked_key_ends_its_streams(org: Org) -> None:
    one = f"{S}/requests/{await org.submit()}/events"
    async with org.stream() as stream, opened(org.api.app, one, org.key) as other:
        await stream.next()
        await other.until("request.progress")
        await org.api.services.accounts.revoke_key(org.key[4:12])
        assert await stream.next() is None
        assert await other.next() is None


async def test_streams_and_waits_end_when_a_stop_is_asked_for(org: Org) -> None:
    request_id = await org.submit()
    waiting = asyncio.create_task(org.api.call("GET", f"{S}/requests/{request_id}?wait=60", org.key))
    async with org.stream() as stream, opened(org.api.app, f"{S}/requests/{request_id}/events", org.key) as one:
        await stream.next()
        await one.next()
        org.api.app.end_waits()
        assert await stream.next() is None
        assert await one.next() in (None, one.seen[-1])
        assert (await waiting).json()["status"] == "queued"
    answer = await org.api.call("GET", f"{S}/requests/{request_id}?wait=60", org.key)
    assert answer.json()["status"] == "queued"


async def test_an_organisation_has_a_bounded_number_of_streams(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(org_events, "MAX_STREAMS", 2)
    async with org.stream() as first, org.stream() as second:
        await first.next()
        await second.next()
        async with org.stream() as third:
            assert (third.status, third.headers["retry-after"]) == (429, "10")
    async with org.stream() as again:
        assert again.status == 200


async def test_the_log_is_paged_and_a_page_leads_to_a_stream(org: Org) -> None:
    for _ in range(3):
        await org.submit()
    await org.finish()
    seen: list[str] = []
    after = ""
    while True:
        page = (await org.api.call("GET", f"{S}/events?limit=2&after={after}", org.key)).json()
        seen += [event["event_id"] for event in page["events"]]
        after = page["next_after"]
        if not page["has_more"]:
            break
    assert len(seen) == len(set(seen)) == 6
    assert page["events"][-1]["outcome"]["code"] == "engine_lost"
    empty = (await org.api.call("GET", f"{S}/events?after={after}", org.key)).json()
    assert (empty["events"], empty["next_after"], empty["has_more"]) == ([], after, False)
    latest = await org.submit()
    async with org.stream(f"?after={after}") as stream:
        assert (await stream.until("request.queued")).data["request_id"] == str(latest)
    answer = await org.api.call("GET", f"{S}/events?after=yesterday", org.key)
    assert (answer.status_code, answer.json()["param"]) == (400, "after")
