"""What an ended request left on a server of either dialect is stopped where that can be, and its record deleted."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.engine import Abandoned, Abandons, EngineLost
from rushes.engines.openai_videos import OpenAIVideosEngine
from rushes.engines.options import Setup
from support.remote_control import KeepingControl
from support.video_server import VideoServer, video_server

CARD = load_catalog().find("Wan-AI_Wan2.1-T2V-14B")


class Killed(BaseException):
    """The attempt's process is gone."""


@pytest.fixture(params=["vllm_omni", "sglang"])
def server(request: pytest.FixtureRequest) -> Iterator[VideoServer]:
    with video_server(request.param, questions=-1) as server:
        yield server


def engine_of(server: VideoServer) -> OpenAIVideosEngine:
    options = {"base_url": server.url, "dialect": server.dialect, "models": ["*"], "slots": 4}
    return OpenAIVideosEngine(Setup("lab", options))


def left_by_an_attempt(server: VideoServer, scratch: Path, *, named: bool) -> str:
    """What was remembered of a video that was begun: with its id, or as it was before the answer had come."""
    control = KeepingControl(scratch)

    def die(ref: str) -> None:
        if json.loads(ref)["id"]:
            raise Killed

    control.on_remember = die
    engine = engine_of(server)
    engine.load(CARD, control)
    with pytest.raises(Killed):
        engine.generate(engine.normalise(CARD, {"prompt": "a quiet harbour", "video_length": 5, "seed": 7}, 1), control)
    assert len(server.videos) == 1
    return control.kept[-1 if named else -2]


def abandoned(engine: Abandons, ref: str, *alive: str) -> Abandoned:
    async def others() -> Sequence[str]:
        return alive

    return asyncio.run(engine.abandon(ref, others))


@pytest.mark.parametrize("named", [True, False], ids=["with its id", "without an id"])
def test_a_video_is_stopped_as_its_dialect_allows_and_its_record_goes(
    server: VideoServer, tmp_path: Path, *, named: bool
) -> None:
    ref = left_by_an_attempt(server, tmp_path, named=named)
    with pytest.raises(EngineLost):  # the first delete is too early; the other dialect stops nothing
        abandoned(engine_of(server), ref)
    assert server.count("DELETE") == (1 if server.dialect == "vllm_omni" else 0)
    if server.dialect == "sglang":
        server.finish()
    assert abandoned(engine_of(server), ref) == "stopped"
    assert (server.videos, server.working) == ({}, 0)


def test_a_video_that_is_gone_is_done_with(server: VideoServer, tmp_path: Path) -> None:
    ref = left_by_an_attempt(server, tmp_path, named=True)
    server.restart()
    assert (abandoned(engine_of(server), ref), server.count("DELETE")) == ("stopped", 0)


def test_a_failed_video_leaves_no_record(server: VideoServer, tmp_path: Path) -> None:
    ref = left_by_an_attempt(server, tmp_path, named=True)
    server.fail_with = (500, "it broke")
    server.finish()
    assert abandoned(engine_of(server), ref) == "stopped"
    assert server.videos == {}


def test_a_video_that_a_living_request_may_mean_is_never_stopped(server: VideoServer, tmp_path: Path) -> None:
    server.refused_deletes = 0
    ref = left_by_an_attempt(server, tmp_path, named=False)
    living = {**json.loads(ref), "id": next(iter(server.videos))}
    for alive in (json.dumps(living), ref):
        with pytest.raises(EngineLost, match="not in the server's list"):
            abandoned(engine_of(server), ref, alive)
    assert server.count("DELETE") == 0


def test_no_search_stops_what_was_begun_at_another_time_or_of_another_prompt(
    server: VideoServer, tmp_path: Path
) -> None:
    ref = left_by_an_attempt(server, tmp_path, named=False)
    trace, (video,) = json.loads(ref), server.videos.values()
    others = [{**trace, "sent_at": trace["sent_at"] + shift} for shift in (-290, 290)]
    others.append({**trace, "payload": {**trace["payload"], "prompt": "another"}})
    for other in others:
        with pytest.raises(EngineLost):
            abandoned(engine_of(server), json.dumps(other))
    assert (list(server.videos.values()), server.count("DELETE")) == ([video], 0)


def test_what_an_earlier_release_remembered_without_an_id_is_not_searched_for(server: VideoServer) -> None:
    ref = json.dumps({"server": server.url, "id": None, "sent_at": 1.0, "session": None, "payload": {}})
    assert (abandoned(engine_of(server), ref), server.calls) == ("unknown", [])


def test_a_server_that_refused_the_request_has_nothing_to_stop(server: VideoServer, tmp_path: Path) -> None:
    control, engine = KeepingControl(tmp_path), engine_of(server)
    plan = engine.normalise(CARD, {"prompt": "x", "video_length": 5}, 1)
    engine.load(CARD, control)
    server.key = "secret"
    with pytest.raises(Exception, match="401"):
        engine.generate(plan, control)
    assert control.kept[-1] == ""
