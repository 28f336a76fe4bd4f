"""The published samples of the video SDK reference, executed with our SDK against a real platform."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from gmicloud import Client, RequestStatus
from gmicloud.errors import NotFoundError
from gmicloud.local import LocalServer

MODEL = "Wan-AI_Wan2.1-T2V-14B"
PAGE = Path(__file__).with_name("sdk_reference_samples.txt")
SAMPLES = dict(re.findall(r"^## (.*?)\n```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))


@pytest.fixture
def environment(gmicloud_server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    """The platform as the environment describes it; the samples' pauses of five seconds become a tenth of one."""
    for name in ("GMI_CLOUD_CLIENT_ID", "GMI_CLOUD_EMAIL", "GMI_CLOUD_PASSWORD", "GMI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GMI_BASE_URL", gmicloud_server.base_url)
    monkeypatch.setenv("GMI_API_KEY", gmicloud_server.api_key)
    never = threading.Event()
    monkeypatch.setattr(time, "sleep", lambda seconds: never.wait(min(seconds, 0.1)))
    return gmicloud_server


def run(name: str, names: dict[str, Any]) -> None:
    exec(compile(SAMPLES[name], f"{PAGE.name}: {name}", "exec"), names)


def test_the_samples_run_in_the_order_of_the_page(environment: LocalServer, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "sample"}
    printed: dict[str, str] = {}
    for name in SAMPLES:
        run(name, names)
        printed[name] = capsys.readouterr().out
        if name == "Image-to-Video":
            client: Client = names["client"]
            made = client.video_manager.create_request(names["request"])
            assert client.cancel(made).status in ("cancelled", "failed")
    assert f"'{MODEL}'" in printed["Explore Available Models"]
    assert "Video generation completed!" in printed["Monitor Request Progress"]
    assert "'video_url': 'http" in printed["Monitor Request Progress"]
    assert "Type: video" in printed["Get Available Models"]
    assert "price=" in printed["Get Model Details"]
    assert "error" not in printed["Error Handling"]
    assert "Status: success" in printed["Get User Requests"]
    assert "✅ Video generation completed successfully!" in printed["Complete Example"]
    assert "[00:00:00] Status: " in printed["Complete Example"]
    assert "- prompt: " in printed["Model-Specific Parameters"]
    assert "Range: " in printed["Model-Specific Parameters"]


def test_the_mistakes_the_page_foresees_are_value_errors(environment: LocalServer) -> None:
    from gmicloud._internal._models import SubmitRequestRequest

    with Client() as client:
        for model, payload in (
            ("", {"prompt": "x"}),
            (MODEL, {}),
            (MODEL, {"prompt": ""}),
            (MODEL, {"video_length": 5}),
        ):
            with pytest.raises(ValueError, match=r"model|payload|prompt"):
                client.video_manager.create_request(SubmitRequestRequest(model=model, payload=payload))
        assert client.video_manager.get_request_detail("00000000-0000-0000-0000-000000000000") is None
        with pytest.raises(NotFoundError):
            client.video_manager.get_model_detail("Wan-AI_Wan2.1-T2V")


def test_the_record_has_every_field_of_the_page(environment: LocalServer) -> None:
    with Client() as client:
        client.cancel(client.submit(MODEL, prompt="A quiet harbour at sunrise"))
        record = client.video_manager.get_requests(MODEL, limit=1)[0]
    for field in ("request_id", "status", "model", "payload", "outcome", "created_at", "updated_at", "queued_at"):
        assert hasattr(record, field)
    assert isinstance(record.status, RequestStatus)
    assert record.model == MODEL
    assert all(isinstance(moment, int) for moment in (record.created_at, record.updated_at, record.queued_at))
