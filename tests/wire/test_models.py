"""The catalogue over HTTP: WIRE.md 2.3, 2.4 and must 11."""

import httpx2
import pytest
from gmicloud.local import LocalServer

SEEDS = [
    "Wan-AI_Wan2.1-T2V-14B",
    "Wan2_1",
    "Kling-Image2Video-V2.1-Master",
    "Kling-Text2Video-V2.1-Master",
    "Luma-Ray2",
    "Veo3",
    "Veo3-Fast",
    "wan2.7-i2v",
    "skyreels-v4-image-to-video",
]


def test_keys_see_ids_and_sessions_see_objects(queue: httpx2.Client, gmicloud_server: LocalServer) -> None:
    ids = queue.get("/models").json()
    assert set(ids) == {"model_ids"}
    assert set(SEEDS) <= set(ids["model_ids"])
    objects = httpx2.get(f"{gmicloud_server.base_url}/api/v1/ie/requestqueue/models").json()
    assert [model["model"] for model in objects["models"]] == ids["model_ids"]
    both = queue.get("/models", params={"expand": 1}).json()
    assert set(both) == {"model_ids", "models"}


@pytest.mark.parametrize("model", SEEDS)
def test_every_model_of_the_documents_is_described_and_available(queue: httpx2.Client, model: str) -> None:
    detail = queue.get(f"/models/{model}").json()
    assert detail["model"] == model
    assert (detail["engine"], detail["available"], detail["host_type"]) == ("animatic", True, "")
    assert type(detail["price_info"]["price"]) is int
    for parameter in detail["parameters"]:
        assert parameter["key"] == parameter["name"]
        assert {"display_name", "type", "required", "default_value", "options", "min", "max"} <= set(parameter)
    assert detail["detailed_description"].startswith("#")


@pytest.mark.parametrize("written", ["veo3", "VEO3", "Wan-AL_Wan2.1-T2V-14B", "Wan-AI%2FWan2.1", "Wan-AI/Wan2.1"])
def test_ids_are_found_by_alias_case_and_slash(queue: httpx2.Client, written: str) -> None:
    assert queue.get(f"/models/{written}").status_code == 200


def test_lists_are_narrowed_by_task_family_and_text(queue: httpx2.Client) -> None:
    kling = queue.get("/models", params={"family": "kling"}).json()["model_ids"]
    assert kling and all("kling" in model.lower() for model in kling)
    assert "Veo3" in queue.get("/models", params={"q": "veo"}).json()["model_ids"]
    assert queue.get("/models", params={"task": "no-such-task"}).json()["model_ids"] == []


def test_live_figures_come_on_demand(queue: httpx2.Client) -> None:
    (model,) = queue.get("/models", params={"expand": 1, "live": 1, "q": "rushes-test"}).json()["models"]
    assert set(model["live"]) == {"queued", "running", "median_seconds", "loaded_on"}
    assert model["live"]["loaded_on"]


def test_the_short_prefix_is_the_same_api(queue: httpx2.Client, gmicloud_server: LocalServer) -> None:
    short = httpx2.get(
        f"{gmicloud_server.base_url}/api/v1/apikey/models", headers={"Authorization": queue.headers["authorization"]}
    )
    assert short.json() == queue.get("/models").json()
