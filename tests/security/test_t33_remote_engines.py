"""T33: what a configured server answers is hostile input. Rings of servers: tests/crash/test_federation.py."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.engine import EngineError, EngineLost, UpstreamError
from rushes.engines.gmi import GmiEngine
from rushes.engines.options import Setup
from rushes.engines.server import MAX_SAID, MAX_VIDEO
from rushes.media.adopt import adopt_video
from rushes.media.probe import NotAsPlanned
from support.remote_control import KeepingControl
from support.upstream_server import UpstreamServer, upstream_server

CARD = load_catalog().find("Luma-Ray2")
KEY = "the-very-secret-key"


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[UpstreamServer]:
    monkeypatch.setenv("UPSTREAM_KEY", KEY)
    with upstream_server(key=KEY) as server:
        yield server


def fetched(upstream: UpstreamServer, scratch: Path) -> Path:
    engine = GmiEngine(Setup("gmi", {"base_url": upstream.url, "key_env": "UPSTREAM_KEY"}))
    engine.first_poll = 0.01
    control = KeepingControl(scratch)
    engine.load(CARD, control)
    return engine.generate(engine.normalise(CARD, {"prompt": "x", "duration": "5s"}, 1), control).path


PRIVATE = ["http://127.0.0.1:5432/", "http://169.254.169.254/latest", "http://[::1]/", "http://10.1.2.3/", "http://0/"]


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("place", ["link", "redirect"])
def test_an_answer_cannot_make_us_call_private_addresses(
    upstream: UpstreamServer, tmp_path: Path, place: str, address: str
) -> None:
    setattr(upstream, place, address)
    with pytest.raises(EngineLost, match=r"not allowed|not valid|must"):
        fetched(upstream, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_video_of_any_size_is_refused_before_it_comes(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.claimed = MAX_VIDEO + 1
    with pytest.raises(EngineLost, match="larger than"):
        fetched(upstream, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"<html>", b"#!/bin/sh", b"", b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 4000])
async def test_what_is_no_video_is_not_kept(upstream: UpstreamServer, tmp_path: Path, content: bytes) -> None:
    upstream.file = content
    path = await asyncio.to_thread(fetched, upstream, tmp_path)
    with pytest.raises(NotAsPlanned):
        await adopt_video(path, tmp_path / "out.mp4", comment="x")
    assert not (tmp_path / "out.mp4").exists()


def test_words_of_a_server_reach_a_customer_short_and_plain(upstream: UpstreamServer, tmp_path: Path) -> None:
    upstream.ending = {"status": "failed", "error": "\x1b[2J<script>\u202e\x00" + "y" * 100_000}
    with pytest.raises(UpstreamError) as error:
        fetched(upstream, tmp_path)
    assert len(str(error.value)) <= MAX_SAID + 40 and str(error.value).isprintable()


def test_the_key_is_in_no_error(upstream: UpstreamServer, tmp_path: Path) -> None:
    for refusal in (
        (401, {"error": "bad"}, {}),
        (500, {"error": "x"}, {}),
        (302, {}, {"Location": "http://10.0.0.1/"}),
    ):
        upstream.refusals = [refusal]
        with pytest.raises(EngineError) as error:
            fetched(upstream, tmp_path)
        assert KEY not in str(error.value)


def test_a_redirected_submit_is_not_followed(upstream: UpstreamServer, tmp_path: Path) -> None:
    with upstream_server() as other:
        upstream.refusals = [(307, {}, {"Location": f"{other.url}/api/v1/ie/requestqueue/apikey/requests"})]
        with pytest.raises(UpstreamError, match="not known whether"):
            fetched(upstream, tmp_path)
        assert other.calls == []
