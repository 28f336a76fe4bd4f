"""The examples of engines.toml on a running platform, before small servers that speak what theirs do."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rushes.store.database import Database
from rushes.store.lanes import Lanes
from support.platform import RunningPlatform, running_platform, submitted
from support.tiny_video import tiny_video
from support.upstream_server import UpstreamServer, upstream_server
from support.video_server import VideoServer, video_server

EXAMPLES = Path(__file__).parents[2] / "examples" / "engines"
WAN, LUMA, VEO = "Wan-AI_Wan2.1-T2V-14B", "Luma-Ray2", "Veo3"


@pytest.fixture(scope="module")
def lab() -> Iterator[VideoServer]:
    with video_server("vllm_omni", file=tiny_video(81, 848, 480)) as server:
        yield server


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamServer]:
    with upstream_server(models=[WAN, LUMA, VEO], file=tiny_video(120, 64, 48, 24), questions=1) as server:
        yield server


@pytest.fixture(scope="module")
def platform(
    lab: VideoServer, upstream: UpstreamServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPlatform]:
    """Both files as one, with the addresses of the small servers."""
    folder = tmp_path_factory.mktemp("engines")
    file = folder / "engines.toml"
    names = ("other-servers.toml", "upstream-account.toml")
    file.write_text("\n".join((EXAMPLES / name).read_text("utf-8") for name in names), "utf-8")
    environment = {
        "RUSHES_ENGINES_FILE": str(file),
        "RUSHES_ENGINE__LAB__BASE_URL": lab.url,
        "RUSHES_ENGINE__GMI__BASE_URL": upstream.url,
        "RUSHES_ENGINE__GMI__SLOTS": "1",
        "GMI_API_KEY": upstream.key,
    }
    with running_platform(folder / "data", environment=environment) as running:
        yield running


def finished(platform: RunningPlatform, model: str, payload: dict[str, Any]) -> dict[str, Any]:
    with platform.client() as client:
        request_id = submitted(client, model, payload)
        record = client.get(f"/requests/{request_id}", params={"wait": 60}).json()
        assert record["status"] == "success", record["error"] or platform.logs()
        assert client.get(record["outcome"]["video_url"]).content[4:8] == b"ftyp"
        return record


def test_each_model_is_served_by_the_first_table_that_matches(platform: RunningPlatform) -> None:
    with platform.client() as client:
        engines = {model: client.get(f"/models/{model}").json()["engine"] for model in (WAN, LUMA, "rushes-test")}
    assert engines == {WAN: "openai_videos", LUMA: "gmi", "rushes-test": "faults"}


def test_a_server_of_the_openai_shape_renders(platform: RunningPlatform, lab: VideoServer) -> None:
    record = finished(platform, WAN, {"prompt": "a quiet harbour", "video_length": 5, "seed": 3})
    assert (record["engine"], record["rendered_by"], record["seed"]) == ("openai_videos", "openai_videos", 3)
    media = record["outcome"]["media_urls"][0]
    assert (media["width"], media["height"], media["fps"]) == (848, 480, 16)
    assert lab.videos == {}


def test_an_account_upstream_renders(platform: RunningPlatform, upstream: UpstreamServer) -> None:
    record = finished(platform, LUMA, {"prompt": "a quiet harbour", "duration": "5s"})
    assert (record["engine"], record["rendered_by"]) == ("gmi", "gmi")
    assert [sent.payload for sent in upstream.sent if sent.payload["prompt"] == "a quiet harbour"] == [
        {"prompt": "a quiet harbour", "resolution": "720p", "duration": "5s", "aspect_ratio": "16:9", "loop": False}
    ]


def test_a_video_of_another_length_than_was_sold_is_not_charged_nor_asked_for_again(
    platform: RunningPlatform, upstream: UpstreamServer
) -> None:
    with platform.client() as client:
        request_id = submitted(client, VEO, {"prompt": "eight seconds", "durationSeconds": "8"})
        record = client.get(f"/requests/{request_id}", params={"wait": 60}).json()
    assert (record["status"], record["error_code"], record["attempt"]) == ("failed", "upstream_error", 1)
    assert "it lasts 5.0 s, not 8.0 s" in record["error"] and record["charge_micro_usd"] == 0
    assert len([sent for sent in upstream.sent if sent.model == VEO]) == 1


def test_a_full_account_costs_no_try(platform: RunningPlatform, upstream: UpstreamServer) -> None:
    """More refusals than a request has tries."""
    upstream.refusals = [(429, {"error": "Rate limit reached"}, {"Retry-After": "0"})] * 4
    record = finished(platform, LUMA, {"prompt": "a busy hour", "duration": "5s"})
    assert record["attempt"] == 5


def test_an_empty_account_holds_its_lane_until_somebody_resumes_it(
    platform: RunningPlatform, upstream: UpstreamServer
) -> None:
    upstream.refusals = [(402, {"error": "Insufficient credits."}, {})]
    with platform.client() as client:
        request_id = submitted(client, LUMA, {"prompt": "a full account", "duration": "5s"})
        held = asyncio.run(lane_held(platform.database_url))
        assert held == ("gmi", "upstream_error", "The upstream account has no balance left: Insufficient credits.")
        record = client.get(f"/requests/{request_id}").json()
        assert (record["status"], record["attempt"], record["error"]) == ("queued", 1, None)
        asyncio.run(resumed(platform.database_url))
        record = client.get(f"/requests/{request_id}", params={"wait": 60}).json()
        assert (record["status"], record["attempt"]) == ("success", 2), record["error"]


async def lane_held(database_url: str) -> tuple[str, str, str]:
    """The first lane that is held, as soon as one is and its request is back in the queue."""
    question = "SELECT lane, cause, said FROM lanes WHERE held AND EXISTS (SELECT FROM requests WHERE waiting)"
    connection = await asyncpg.connect(database_url)
    until = time.monotonic() + 30
    try:
        while not (row := await connection.fetchrow(question)):
            assert time.monotonic() < until, "no lane is held"
            await asyncio.sleep(0.05)
        return tuple(row)
    finally:
        await connection.close()


async def resumed(database_url: str) -> None:
    database = Database(database_url, size=1)
    await database.start()
    assert await Lanes(database).resume("gmi", actor="test")
    await database.stop()
