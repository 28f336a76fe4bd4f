"""What an ended request left at an upstream account is stopped there once, whatever is in the way, and nothing else."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.engine import Abandoned, Abandons, Cancelled, EngineLost, Plan, Unsupported
from rushes.engines.gmi import GmiEngine
from rushes.engines.options import Setup
from support.remote_control import KeepingControl
from support.upstream_server import Q, Sent, UpstreamServer, upstream_server

CARD = load_catalog().find("Luma-Ray2")
PROMPT = "a quiet harbour"


class Killed(BaseException):
    """The attempt's process is gone."""


@pytest.fixture(scope="module")
def server() -> Iterator[UpstreamServer]:
    with pytest.MonkeyPatch.context() as patch, upstream_server() as server:
        patch.setenv("UPSTREAM_KEY", server.key)
        yield server


@pytest.fixture(scope="module")
def engine(server: UpstreamServer) -> GmiEngine:
    return engine_of(server.url)


@pytest.fixture(scope="module")
def traces(server: UpstreamServer, engine: GmiEngine, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What an attempt remembered before its submit, and after the answer."""
    control = KeepingControl(tmp_path_factory.mktemp("scratch"))

    def die(ref: str) -> None:
        if json.loads(ref)["id"]:
            raise Killed

    control.on_remember = die
    with pytest.raises(Killed):
        engine.generate(plan_of(engine), control)
    return [json.loads(ref) for ref in control.kept]


@pytest.fixture
def upstream(server: UpstreamServer, traces: list[dict[str, Any]]) -> UpstreamServer:
    """It has accepted one request, which goes on for ever, and takes cancels."""
    server.calls.clear()
    server.sent[:] = [Sent(traces[1]["id"], traces[0]["model"], traces[0]["payload"])]
    server.questions, server.cancels, server.ending = -1, True, {"status": "success"}
    return server


@pytest.fixture
def named(traces: list[dict[str, Any]]) -> str:
    """Left by an attempt that knew the id of its request upstream."""
    return json.dumps(traces[1])


@pytest.fixture
def unnamed(traces: list[dict[str, Any]]) -> dict[str, Any]:
    """Left just now by an attempt that was killed before the answer to its submit had come."""
    return {**traces[0], "sent_at": time.time()}


def engine_of(url: str) -> GmiEngine:
    engine = GmiEngine(Setup("gmi", {"base_url": url, "key_env": "UPSTREAM_KEY"}))
    engine.first_poll = 0.01
    return engine


def plan_of(engine: GmiEngine) -> Plan:
    return engine.normalise(CARD, {"prompt": PROMPT, "duration": "5s"}, 4711)


def abandoned(engine: Abandons, ref: str | dict[str, Any], *alive: str) -> Abandoned:
    async def others() -> Sequence[str]:
        return alive

    return asyncio.run(engine.abandon(ref if isinstance(ref, str) else json.dumps(ref), others))


def cancels(upstream: UpstreamServer) -> int:
    return upstream.count("DELETE", f"{Q}/requests/")


def test_a_request_with_an_id_is_cancelled_once_however_often_that_is_asked(
    upstream: UpstreamServer, engine: GmiEngine, named: str
) -> None:
    assert PROMPT not in named, "the payload is kept no longer than it is needed"
    assert [abandoned(engine, named) for _ in range(3)] == ["stopped"] * 3
    assert ([sent.cancelled for sent in upstream.sent], cancels(upstream)) == ([True], 1)


def test_what_has_ended_by_itself_or_was_forgotten_is_left_as_it_is(
    upstream: UpstreamServer, engine: GmiEngine, named: str
) -> None:
    upstream.questions = 0
    for status in ("success", "failed", "cancelled"):
        upstream.ending = {"status": status}
        assert abandoned(engine, named) == "stopped"
    upstream.sent.clear()
    assert abandoned(engine, named) == "stopped"
    assert cancels(upstream) == 0


def test_what_a_running_attempt_has_cancelled_itself_is_not_cancelled_again(
    upstream: UpstreamServer, engine: GmiEngine, tmp_path: Path
) -> None:
    assert abandoned(engine, cancelled_attempt(engine, tmp_path)) == "stopped"
    assert ([sent.cancelled for sent in upstream.sent], cancels(upstream)) == ([False, True], 1)


def test_a_running_attempt_whose_cancel_the_upstream_did_not_take_leaves_it_to_be_asked_again(
    upstream: UpstreamServer, engine: GmiEngine, tmp_path: Path
) -> None:
    upstream.cancel_answers = [503]
    ref = cancelled_attempt(engine, tmp_path)
    assert not upstream.sent[1].cancelled
    assert abandoned(engine, ref) == "stopped"
    assert upstream.sent[1].cancelled


def cancelled_attempt(engine: GmiEngine, scratch: Path) -> str:
    """What an attempt remembered that its customer cancelled while it ran."""
    control = KeepingControl(scratch)
    control.on_remember = lambda ref: control.cancel(for_good=True) if json.loads(ref)["id"] else None
    with pytest.raises(Cancelled):
        engine.generate(plan_of(engine), control)
    return control.kept[-1]


def test_every_answer_to_a_cancel_has_its_meaning(upstream: UpstreamServer, engine: GmiEngine, named: str) -> None:
    """Too late, not possible here, or not now."""
    meanings: dict[int, Abandoned] = {404: "stopped", 409: "stopped", 410: "stopped"}
    meanings |= {400: "running", 405: "running", 501: "running"}
    for answer, meaning in meanings.items():
        upstream.cancel_answers = [answer]
        assert abandoned(engine, named) == meaning, answer
    for answer in (408, 429, 500, 503):
        upstream.cancel_answers = [answer]
        with pytest.raises(EngineLost, match=str(answer)):
            abandoned(engine, named)
    for answer in (401, 403):
        upstream.cancel_answers = [answer]
        with pytest.raises(Unsupported, match=str(answer)):
            abandoned(engine, named)


def test_an_upstream_that_is_away_and_a_key_that_is_wrong_are_asked_again_later(
    upstream: UpstreamServer, engine: GmiEngine, named: str, unnamed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "another-key")
    for ref in (named, {**unnamed, "sent_at": 0.0}):
        with pytest.raises(Unsupported, match="401"):
            abandoned(engine, ref)
    with upstream_server() as gone:
        pass
    for ref in (named, json.dumps({**unnamed, "sent_at": 0.0})):
        with pytest.raises(EngineLost, match="No connection"):
            abandoned(engine_of(gone.url), ref.replace(upstream.url, gone.url))


def test_a_submit_whose_answer_nobody_heard_is_found_and_cancelled(
    upstream: UpstreamServer, engine: GmiEngine, unnamed: dict[str, Any]
) -> None:
    assert abandoned(engine, unnamed) == "stopped"
    assert upstream.sent[0].cancelled


def test_a_call_that_left_no_request_is_looked_for_a_while_and_then_unknown(
    upstream: UpstreamServer, engine: GmiEngine, unnamed: dict[str, Any]
) -> None:
    upstream.sent.clear()
    with pytest.raises(EngineLost, match="not in the server's list"):
        abandoned(engine, unnamed)
    assert abandoned(engine, {**unnamed, "sent_at": unnamed["sent_at"] - 700}) == "unknown"


def test_no_search_ends_what_was_sent_at_another_time_or_twice(
    upstream: UpstreamServer, engine: GmiEngine, unnamed: dict[str, Any]
) -> None:
    def sent(request_id: str, *, after: int) -> Sent:
        made_at = int(unnamed["sent_at"]) + after
        return Sent(request_id, unnamed["model"], unnamed["payload"], created_at=made_at)

    for listed in ([sent("one", after=0), sent("two", after=0)], [sent("early", after=-200), sent("late", after=400)]):
        upstream.sent[:] = listed
        with pytest.raises(EngineLost):
            abandoned(engine, unnamed)
    assert cancels(upstream) == 0


def test_work_that_a_living_request_may_mean_is_never_cancelled(
    upstream: UpstreamServer, engine: GmiEngine, unnamed: dict[str, Any]
) -> None:
    """A customer cancels and submits the same again; of the two only the second came to the upstream."""
    living = {
        "its id": {"server": upstream.url, "id": upstream.sent[0].request_id},
        "that it was sent": {**unnamed, "session": "another"},
        "an earlier release's trace": {"server": upstream.url, "sent_at": unnamed["sent_at"]},
    }
    for known, trace in living.items():
        with pytest.raises(EngineLost):
            abandoned(engine, unnamed, "", json.dumps(trace))
        assert cancels(upstream) == 0, known


def test_what_living_requests_mean_elsewhere_is_no_reason_to_leave_it(
    upstream: UpstreamServer, engine: GmiEngine, unnamed: dict[str, Any]
) -> None:
    living = [
        {"server": "http://other.test", "id": upstream.sent[0].request_id},
        {"server": upstream.url, "id": "another"},
        {**unnamed, "payload": {"prompt": "another"}},
        {"server": upstream.url, "id": None, "sent_at": None},
    ]
    assert abandoned(engine, unnamed, "", *map(json.dumps, living)) == "stopped"
    assert upstream.sent[0].cancelled


def test_nothing_is_called_for_what_leads_elsewhere_or_nowhere(
    upstream: UpstreamServer, engine: GmiEngine, named: str
) -> None:
    assert abandoned(engine, "") == "stopped"
    assert abandoned(engine, {"server": upstream.url, "id": None, "sent_at": None}) == "stopped"
    assert abandoned(engine, named.replace(upstream.url, "http://other.test")) == "unknown"
    assert upstream.calls == []
