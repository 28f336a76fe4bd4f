"""gmicloud 0.1.10, as published on the package index, unmodified, against a real platform."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from gmicloud.local import LocalServer
from support.locked_environment import ROOT, locked_python

LOCKED = ROOT / "requirements" / "compat-gmicloud.txt"
EMAIL, PASSWORD = "published@example.test", "a long enough password"

pytestmark = pytest.mark.timeout(180)  # the first run downloads the client


@pytest.fixture(scope="module")
def told(gmicloud_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the client saw, told by itself (published_gmicloud_client.py)."""
    python = locked_python(LOCKED)
    command = [Path(sys.executable).with_name("rushes"), "users", "create", "--email", EMAIL, "--password-stdin"]
    subprocess.run([*command, "--data", gmicloud_server.data], input=PASSWORD, text=True, check=True)
    done = subprocess.run(
        [python, Path(__file__).with_name("published_gmicloud_client.py"), gmicloud_server.base_url, EMAIL, PASSWORD],
        env={"HOME": str(tmp_path_factory.mktemp("home"))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout.splitlines()[-1])


def test_it_logs_in_for_twelve_hours_and_knows_who_it_is(told: dict[str, Any]) -> None:
    access = told["access"]
    assert access["userId"] == told["login"]["user"] == access["sub"]
    assert access["exp"] - access["iat"] == 12 * 3600
    assert len(told["login"]["organisation"]) == 36


def test_a_second_start_uses_the_cached_refresh_token_also_beside_another(told: dict[str, Any]) -> None:
    assert told["restarts"] == [told["login"]["user"]] * 2


def test_a_wrong_password_is_told_in_words(told: dict[str, Any]) -> None:
    assert "400 - Invalid e-mail or password" in told["wrong_password"]


def test_it_reads_every_model(told: dict[str, Any], queue: httpx2.Client) -> None:
    assert told["models"] == len(queue.get("/models").json()["model_ids"])
    assert told["first_model"]["model"]
    detail = told["detail"]
    assert (detail["model"], detail["price_info"]["price"]) == ("wan2.7-i2v", 150000)
    assert [parameter["key"] for parameter in detail["parameters"]]


def test_it_submits_and_polls_to_success(told: dict[str, Any]) -> None:
    assert told["made"]["status"] == "queued"
    assert told["statuses"][-1] == "success"
    assert set(told["statuses"]) <= {"queued", "dispatched", "processing", "success"}
    outcome = told["record"]["outcome"]
    assert outcome["video_url"] == outcome["media_urls"][0]["url"]
    assert httpx2.get(outcome["video_url"]).headers["content-type"] == "video/mp4"
    assert told["made"]["request_id"] in told["listed"]


def test_its_errors_keep_our_first_words(told: dict[str, Any]) -> None:
    assert told["unknown_request"] == {"code": " 404", "error": "request not found"}
    assert told["unknown_model"]["code"] == " 404"
    assert told["unknown_model"]["error"].startswith("Model not found")
    assert told["bad_payload"]["code"] == " 400"
    assert told["bad_payload"]["error"].startswith("invalid payload parameters")


def test_it_makes_a_key_that_works_and_finds_it_in_the_list(told: dict[str, Any], queue: httpx2.Client) -> None:
    answer = queue.get("/models", headers={"Authorization": f"Bearer {told['key']}"})
    assert answer.status_code == 200
    (listed,) = [key for key in told["keys"] if key["name"] == "made by the published SDK"]
    assert listed["partialKey"].endswith(told["key"][-4:])
    assert told["key"] not in json.dumps(told["keys"])
    assert listed["scope"] == "ie_model"
    assert listed["owner"]["email"] == EMAIL
    assert abs(listed["expiresAt"] - time.time() - 30 * 86_400) < 300
