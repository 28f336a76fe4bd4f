"""What an ended request left at an upstream account is stopped there once, whatever is in the way, and nothing else."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.engine import Abandoned, Abandons, EngineLost, Unsupported
from rushes.engines.gmi import GmiEngine
from rushes.engines.options import Setup
from support.remote_control import KeepingControl
from support.upstream_server import Q, Sent, UpstreamServer, upstream_server

CARD = load_catalog().find("Luma-Ray2")
PROMPT = "a quiet harbour"


class Killed(BaseException):
    """The attempt's process is gone."""


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[UpstreamServer]:
    monkeypatch.setenv("UPSTREAM_KEY", "upstream-key")
    with upstream_server(questions=-1, cancels=True) as server:
        yield server


def engine_of(upstream: UpstreamServer, **options: Any) -> GmiEngine:
    engine = GmiEngine(Setup("gmi", {"base_url": upstream.url, "key_env": "UPSTREAM_KEY", **options}))
    engine.first_poll = 0.01
    return engine


def left_by_an_attempt(upstream: UpstreamServer, scratch: Path, *, killed_at: int) -> str:
    """What was remembered when an attempt died as it remembered something for the `killed_at`-th time."""
    control = KeepingControl(scratch)

    def die(_: str) -> None:
        if len(control.kept) == killed_at:
            raise Killed

    control.on_remember = die
    engine = engine_of(upstream)
    engine.load(CARD, control)
    with pytest.raises(Killed):
        engine.generate(engine.normalise(CARD, {"prompt": PROMPT, "duration": "5s"}, 4711), control)
    return control.kept[-1]


@pytest.fixture
def named(upstream: UpstreamServer, tmp_path: Path) -> str:
    """Left by an attempt that knew the id of its request upstream."""
    return left_by_an_attempt(upstream, tmp_path, killed_at=2)


def unnamed(upstream: UpstreamServer, scratch: Path) -> str:
    """Left by an attempt that was killed before the answer to its submit had come."""
    ref = left_by_an_attempt(upstream, scratch, killed_at=1)
    upstream.sent.append(sent_as(ref))
    return ref


def sent_as(ref: str, request_id: str = "arrived", *, after: float = 0.0) -> Sent:
    """The request upstream that a remembered call makes."""
    trace = json.loads(ref)
    return Sent(request_id, trace["model"], trace["payload"], created_at=int(trace["sent_at"] + after))


def abandoned(engine: Abandons, ref: str, *alive: str) -> Abandoned:
    async def others() -> Sequence[str]:
        return alive

    return asyncio.run(engine.abandon(ref, others))


def cancels(upstream: UpstreamServer) -> int:
    return upstream.count("DELETE", f"{Q}/requests/")


def test_a_request_with_an_id_is_cancelled_once_however_often_that_is_asked(
    upstream: UpstreamServer, named: str
) -> None:
    assert PROMPT not in named, "the payload is kept no longer than it is needed"
    assert [abandoned(engine_of(upstream), named) for _ in range(3)] == ["stopped"] * 3
    assert ([sent.cancelled for sent in upstream.sent], cancels(upstream)) == ([True], 1)


@pytest.mark.parametrize("status", ["success", "failed", "cancelled"])
def test_what_has_ended_by_itself_is_left_as_it_is(upstream: UpstreamServer, named: str, status: str) -> None:
    upstream.questions, upstream.ending = 0, {"status": status}
    assert (abandoned(engine_of(upstream), named), cancels(upstream)) == ("stopped", 0)


def test_a_request_that_the_upstream_does_not_know_any_more_is_done_with(upstream: UpstreamServer, named: str) -> None:
    upstream.sent.clear()
    assert (abandoned(engine_of(upstream), named), cancels(upstream)) == ("stopped", 0)


@pytest.mark.parametrize("answer", [404, 409, 410])
def test_a_cancel_that_comes_too_late_is_done_with(upstream: UpstreamServer, named: str, answer: int) -> None:
    upstream.cancel_answers = [answer]
    assert abandoned(engine_of(upstream), named) == "stopped"


@pytest.mark.parametrize("answer", [400, 405, 501])
def test_an_account_that_cancels_nothing_is_asked_once_and_said_to_run_on(
    upstream: UpstreamServer, named: str, answer: int
) -> None:
    upstream.cancel_answers = [answer]
    assert abandoned(engine_of(upstream), named) == "running"


@pytest.mark.parametrize("answer", [429, 500, 503])
def test_an_upstream_in_trouble_is_asked_again_later(upstream: UpstreamServer, named: str, answer: int) -> None:
    upstream.cancel_answers = [answer]
    with pytest.raises(EngineLost, match=str(answer)):
        abandoned(engine_of(upstream), named)
    assert abandoned(engine_of(upstream), named) == "stopped"


def test_an_upstream_that_is_away_and_a_key_that_is_wrong_are_asked_again_later(
    upstream: UpstreamServer, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", "another-key")
    with pytest.raises(Unsupported, match="401"):
        abandoned(engine_of(upstream), named)
    with upstream_server() as gone:
        pass
    with pytest.raises(EngineLost, match="No connection"):
        abandoned(engine_of(gone), named.replace(upstream.url, gone.url))


def test_a_submit_whose_answer_nobody_heard_is_found_and_cancelled(upstream: UpstreamServer, tmp_path: Path) -> None:
    ref = unnamed(upstream, tmp_path)
    assert abandoned(engine_of(upstream), ref) == "stopped"
    assert upstream.sent[0].cancelled


def test_a_call_that_left_no_request_is_looked_for_a_while_and_then_unknown(
    upstream: UpstreamServer, tmp_path: Path
) -> None:
    ref = left_by_an_attempt(upstream, tmp_path, killed_at=1)
    with pytest.raises(EngineLost, match="not in the server's list"):
        abandoned(engine_of(upstream), ref)
    trace = json.loads(ref)
    assert abandoned(engine_of(upstream), json.dumps({**trace, "sent_at": trace["sent_at"] - 700})) == "unknown"


def test_no_search_ends_what_was_sent_at_another_time_or_twice(upstream: UpstreamServer, tmp_path: Path) -> None:
    ref = unnamed(upstream, tmp_path)
    upstream.sent.append(sent_as(ref, "twin"))
    with pytest.raises(EngineLost):
        abandoned(engine_of(upstream), ref)
    upstream.sent[:] = [sent_as(ref, "before", after=-200.0), sent_as(ref, "after", after=400.0)]
    with pytest.raises(EngineLost):
        abandoned(engine_of(upstream), ref)
    assert cancels(upstream) == 0


@pytest.mark.parametrize("known", ["its id", "that it was sent", "an earlier release's trace"])
def test_work_that_a_living_request_may_mean_is_never_cancelled(
    upstream: UpstreamServer, tmp_path: Path, known: str
) -> None:
    """A customer cancels and submits the same again; of the two only the second came to the upstream."""
    ref = unnamed(upstream, tmp_path)
    trace = json.loads(ref)
    living = {
        "its id": {"server": upstream.url, "id": "arrived"},
        "that it was sent": {**trace, "sent_at": time.time(), "session": "another"},
        "an earlier release's trace": {"server": upstream.url, "sent_at": time.time()},
    }[known]
    for sent_at in (trace["sent_at"], trace["sent_at"] - 100):
        with pytest.raises(EngineLost):
            abandoned(engine_of(upstream), json.dumps({**trace, "sent_at": sent_at}), json.dumps(living))
    assert cancels(upstream) == 0


def test_what_living_requests_mean_elsewhere_is_no_reason_to_leave_it(upstream: UpstreamServer, tmp_path: Path) -> None:
    ref = unnamed(upstream, tmp_path)
    trace = json.loads(ref)
    living = [
        {"server": "http://other.test", "id": "arrived"},
        {"server": upstream.url, "id": "another"},
        {**trace, "payload": {"prompt": "another"}},
        {"server": upstream.url, "id": None, "sent_at": None},
    ]
    assert abandoned(engine_of(upstream), ref, "", *map(json.dumps, living)) == "stopped"
    assert upstream.sent[0].cancelled


def test_nothing_is_called_for_what_leads_elsewhere_or_nowhere(upstream: UpstreamServer, named: str) -> None:
    upstream.calls.clear()
    engine = engine_of(upstream)
    assert abandoned(engine, "") == "stopped"
    assert abandoned(engine, json.dumps({"server": upstream.url, "id": None, "sent_at": None})) == "stopped"
    assert abandoned(engine, named.replace(upstream.url, "http://other.test")) == "unknown"
    assert upstream.calls == []


def test_a_list_that_cannot_be_had_is_asked_for_again(upstream: UpstreamServer, tmp_path: Path) -> None:
    ref = unnamed(upstream, tmp_path)
    old = json.dumps({**json.loads(ref), "sent_at": 0.0})
    upstream.key = "another-key"
    with pytest.raises(Unsupported):
        abandoned(engine_of(upstream), old)
