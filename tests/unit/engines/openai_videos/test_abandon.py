"""What an ended request left on a server of either dialect is stopped where that can be, and its record deleted."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.engine import Abandoned, EngineLost, Unsupported
from rushes.engines.openai_videos import OpenAIVideosEngine
from rushes.engines.options import Setup
from support.remote_control import KeepingControl
from support.video_server import VideoServer, video_server

CARD = load_catalog().find("Wan-AI_Wan2.1-T2V-14B")


class Killed(BaseException):
    """The attempt's process is gone."""


class Left:
    """A server, an engine that calls it, and what an attempt remembered of one video before it died."""

    def __init__(self, server: VideoServer, scratch: Path) -> None:
        self.server = server
        options = {"base_url": server.url, "dialect": server.dialect, "models": ["*"], "slots": 4}
        self.engine = OpenAIVideosEngine(Setup("lab", options))
        self._scratch = scratch

    def begin(self) -> None:
        """Another video is begun, of which nobody takes care any more."""
        self.server.videos.clear()
        self.server.calls.clear()
        self.server.questions, self.server.working, self.server.fail_with = -1, 0, None
        control = KeepingControl(self._scratch)

        def die(ref: str) -> None:
            if json.loads(ref)["id"]:
                raise Killed

        control.on_remember = die
        params = {"prompt": "a quiet harbour", "video_length": 5, "seed": 7}
        with pytest.raises(Killed):
            self.engine.generate(self.engine.normalise(CARD, params, 1), control)
        self.unnamed, self.named = map(json.loads, control.kept)

    def abandoned(self, trace: dict[str, Any], *alive: dict[str, Any]) -> Abandoned:
        async def others() -> Sequence[str]:
            return [json.dumps(other) for other in alive]

        return asyncio.run(self.engine.abandon(json.dumps(trace), others))


@pytest.fixture(scope="module", params=["vllm_omni", "sglang"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    with video_server(request.param) as server:
        yield Left(server, tmp_path_factory.mktemp("scratch"))


@pytest.fixture
def left(lab: Left) -> Left:
    lab.begin()
    return lab


@pytest.mark.parametrize("known", ["named", "unnamed"])
def test_a_video_is_stopped_as_its_dialect_allows_and_its_record_goes(left: Left, known: str) -> None:
    trace = getattr(left, known)
    with pytest.raises(EngineLost):  # the first delete is too early; the other dialect stops nothing
        left.abandoned(trace)
    assert left.server.count("DELETE") == (1 if left.server.dialect == "vllm_omni" else 0)
    if left.server.dialect == "sglang":
        left.server.finish()
    assert left.abandoned(trace) == "stopped"
    assert (left.server.videos, left.server.working) == ({}, 0)


def test_a_video_that_is_gone_is_done_with_and_a_failed_one_leaves_no_record(left: Left) -> None:
    left.server.fail_with = (500, "it broke")
    left.server.finish()
    assert left.abandoned(left.named) == "stopped"
    assert (left.server.videos, left.server.count("DELETE")) == ({}, 1)
    assert (left.abandoned(left.named), left.server.count("DELETE")) == ("stopped", 1)


def test_no_search_stops_what_a_living_request_may_mean_or_what_was_begun_at_another_time(left: Left) -> None:
    trace = left.unnamed
    with pytest.raises(EngineLost, match="not in the server's list"):
        left.abandoned(trace, {**trace, "id": left.named["id"]})
    with pytest.raises(EngineLost):
        left.abandoned(trace, trace)
    others = [{**trace, "sent_at": trace["sent_at"] + shift} for shift in (-290, 290)]
    for other in (*others, {**trace, "payload": {**trace["payload"], "prompt": "another"}}):
        with pytest.raises(EngineLost):
            left.abandoned(other)
    assert (list(left.server.videos), left.server.count("DELETE")) == ([left.named["id"]], 0)


def test_nothing_is_called_for_what_leads_elsewhere_or_cannot_be_found(left: Left) -> None:
    left.server.calls.clear()
    assert left.abandoned({}) == "stopped"
    assert left.abandoned({**left.named, "server": "http://other.test"}) == "unknown"
    assert left.abandoned({**left.unnamed, "payload": {}}) == "unknown", "as an earlier release remembered it"
    assert left.server.calls == []


def test_a_server_that_refused_the_request_has_nothing_to_stop(left: Left, tmp_path: Path) -> None:
    control = KeepingControl(tmp_path)
    left.server.key = "secret"
    with pytest.raises(Unsupported, match="401"):
        left.engine.generate(left.engine.normalise(CARD, {"prompt": "x", "video_length": 5}, 1), control)
    left.server.key = None
    assert control.kept[-1] == ""
