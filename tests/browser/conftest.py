"""The page in a real Chromium, on a real platform: one of each for all tests of a worker.

Not covered: Firefox, Safari, real screen readers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from support.chromium import FLAGS, chromium
from support.platform import RunningPlatform, running_platform
from support.tenants import cookies
from support.visits import Visit

HOSTILE_CARD = """
family: hostile
org_id: example
created: 2026-11-20
engine: faults
models:
  - id: hostile-guide
    task: text-to-video
    display_name: "<img src=x onerror=alert(20)> & co"
    brief: "<svg onload=alert(21)> in a brief"
    description: |
      <img src=x onerror=alert(22)> and <script>alert(23)</script>

      [a link](javascript:alert(24)) and ![a picture](https://evil.example/pixel.png)

      [an honest link](https://example.org/guide)
    test_only: true
    parameters:
      - {name: prompt, type: string, display_name: "<b onmouseover=alert(25)>Prompt</b>", description: "<i>hint</i>"}
    price: {usd: 0.01}
    example: {prompt: "</script><script>alert(26)</script>"}
"""
"""A model whose every word is markup."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless. For one module only: while Playwright runs, this thread has a running loop."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def platform() -> Iterator[RunningPlatform]:
    """`rushes up` for reading and generating; tests that kill one start their own."""
    folder = Path(tempfile.mkdtemp(prefix="rushes-page-"))
    cards = folder / "cards"
    cards.mkdir()
    (cards / "hostile.yaml").write_text(HOSTILE_CARD, "utf-8")
    with running_platform(folder, "--test-models", environment={"RUSHES_CATALOG_DIR": str(cards)}) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def signed_in(platform: RunningPlatform) -> list[dict[str, str]]:
    """The cookies of somebody who has signed in with the platform's key."""
    return cookies(platform.address, {"key": platform.key})


@pytest.fixture(scope="session")
def owner(platform: RunningPlatform) -> list[dict[str, str]]:
    """The cookies of the machine's owner, who came by the one-time link."""
    command = [sys.executable, "-m", "rushes", "users", "link", "--data", str(platform.data)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    link = re.search(r"link=([A-Za-z0-9_-]+)", said)
    assert link is not None, said
    return cookies(platform.address, {"link": link[1]})


@pytest.fixture
def visiting(
    browser: Browser, platform: RunningPlatform, signed_in: list[dict[str, str]]
) -> Iterator[Callable[..., Visit]]:
    """Makes visits: a context of its own, signed in unless said otherwise, on a page that is watched.

    At the end nothing may have gone wrong in any of them: no script error, no report of the policy, no dialog, no
    foreign host.
    """
    opened: list[tuple[BrowserContext, Visit]] = []

    def visit(*, cookies: bool = True, address: str | None = None, **options: Any) -> Visit:
        base = address or platform.address
        context = browser.new_context(base_url=base, **options)
        context.set_default_timeout(20_000)
        made = Visit(context, base)
        if cookies:
            made.admit(signed_in)
        opened.append((context, made))
        return made

    yield visit
    wrong = [fault for _, made in opened for fault in made.wrong()]
    for context, _ in opened:
        context.close()
    assert wrong == []


@pytest.fixture
def page(visiting: Callable[..., Visit]) -> Page:
    """A laptop's page of somebody who has signed in."""
    return visiting(viewport={"width": 1360, "height": 900}).page
