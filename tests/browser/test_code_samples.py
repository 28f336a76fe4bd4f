"""The code on the page runs as it is shown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform


def shown(page: Page, sample: str) -> str:
    """What the copy button copies."""
    return page.locator(f"[data-live] [data-sample={sample}] pre").text_content() or ""


def ran(platform: RunningPlatform, folder: Path, *command: str) -> str:
    """What a program with the key says, which must end well."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "GMI_API_KEY": platform.key},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def filled(page: Page) -> Page:
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill('It\'s a "test" \\ of $HOME\nand `quotes`')
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached()
    return page


def test_curl_as_shown_makes_the_request(filled: Page, platform: RunningPlatform, tmp_path: Path) -> None:
    command = shown(filled, "curl").replace("curl ", "curl -sf ", 1)
    made = json.loads(ran(platform, tmp_path, "bash", "-c", command))
    with platform.client() as client:
        record = client.get(f"/requests/{made['request_id']}").json()
    assert record["payload"] == {"prompt": 'It\'s a "test" \\ of $HOME\nand `quotes`'}


@pytest.mark.parametrize("sample", ["python", "async"])
def test_python_as_shown_fetches_the_film(filled: Page, platform: RunningPlatform, tmp_path: Path, sample: str) -> None:
    ran(platform, tmp_path, sys.executable, "-c", shown(filled, sample))
    assert (tmp_path / "film.mp4").stat().st_size > 1000


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine to run JavaScript")
def test_javascript_as_shown_waits_for_the_film(filled: Page, platform: RunningPlatform, tmp_path: Path) -> None:
    (tmp_path / "sample.mjs").write_text(shown(filled, "js"), "utf-8")
    address = ran(platform, tmp_path, "node", "sample.mjs").strip()
    with platform.client() as client:
        film = client.get(address)
        latest = client.get("/requests", params={"limit": 1}).json()["requests"][0]
    assert film.headers["content-type"] == "video/mp4"
    assert latest["payload"] == {"prompt": 'It\'s a "test" \\ of $HOME\nand `quotes`'}


def test_the_command_behind_a_page_answers(page: Page, platform: RunningPlatform, tmp_path: Path) -> None:
    for path in ("/models", "/requests?q=status:success"):
        page.goto(path)
        page.locator(".command summary").click()
        command = page.locator(".command [data-sample=curl] pre").text_content() or ""
        assert json.loads(ran(platform, tmp_path, "bash", "-c", command.replace("curl ", "curl -sf ", 1)))
