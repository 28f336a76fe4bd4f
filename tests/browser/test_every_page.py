"""Every page, light and dark, laptop and phone: accessible, as wide as the device, silent in the console."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from support.platform import RunningPlatform, final, submitted
from support.tenants import tenant
from support.visits import Visit, axe_findings, overflow, small_targets

PAGES = (
    "/models",
    "/models/wan2.7-i2v",
    "/models/Veo3",
    "/requests",
    "/requests/DONE",
    "/requests/FAILED",
    "/requests/no",
)
LAPTOP = {"viewport": {"width": 1360, "height": 900}}
PHONE = {"viewport": {"width": 412, "height": 915}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
NARROW = {"viewport": {"width": 320, "height": 800}, "is_mobile": True, "has_touch": True}
LOOKS = [
    pytest.param("light", LAPTOP, id="light laptop"),
    pytest.param("dark", LAPTOP, id="dark laptop", marks=pytest.mark.long),
    pytest.param("light", PHONE, id="light phone", marks=pytest.mark.long),
    pytest.param("dark", PHONE, id="dark phone"),
]
"""Both themes and both devices in every run, all four pairs in the long one."""


@pytest.fixture(scope="module")
def made(platform: RunningPlatform) -> dict[str, str]:
    """A film, and a request that failed."""
    with platform.client() as client:
        ids = {
            "DONE": submitted(
                client, "wan2.7-t2v", {"prompt": "A harbour at dawn", "resolution": "720P", "duration": 2}
            ),
            "FAILED": submitted(
                client, "rushes-test", {"prompt": "Nothing", "rushes_fault": {"fail": "out_of_memory", "at": 30}}
            ),
        }
        for request_id in ids.values():
            final(client, request_id)
    return ids


def address_of(path: str, made: dict[str, str]) -> str:
    head, _, last = path.rpartition("/")
    return f"{head}/{made.get(last, last)}"


@pytest.mark.parametrize(("theme", "device"), LOOKS)
def test_every_page_is_accessible_and_fits(
    visiting: Callable[..., Visit], made: dict[str, str], theme: str, device: dict[str, Any]
) -> None:
    visit = visiting(color_scheme=theme, **device)
    visit.allow("status of 404")
    problems: list[str] = []
    for path in PAGES:
        visit.page.goto(address_of(path, made))
        visit.page.wait_for_load_state("load")
        picture(visit, f"{path} {theme} {device['viewport']['width']}")
        problems += [f"{path}: {finding}" for finding in axe_findings(visit.page)]
        if overflow(visit.page) > 0:
            problems.append(f"{path}: {overflow(visit.page)} pixels too wide")
        if device is PHONE:
            problems += [f"{path}: too small to touch: {target}" for target in small_targets(visit.page)]
    assert problems == [], "\n".join(problems)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_before_signing_in_is_accessible(visiting: Callable[..., Visit], theme: str) -> None:
    visit = visiting(cookies=False, color_scheme=theme, **PHONE)
    visit.page.goto("/")
    visit.page.wait_for_url("**/sign-in?next=*")
    assert axe_findings(visit.page) == []
    assert overflow(visit.page) <= 0
    assert small_targets(visit.page) == []


def test_every_page_reflows_at_320_pixels(visiting: Callable[..., Visit], made: dict[str, str]) -> None:
    visit = visiting(**NARROW)
    visit.allow("status of 404")
    wide: dict[str, int] = {}
    for path in PAGES:
        visit.page.goto(address_of(path, made))
        if (pixels := overflow(visit.page)) > 0:
            wide[path] = pixels
    assert wide == {}


EMPTY = {
    "/requests": "No request yet",
    "/files": "No files yet",
    "/usage": "",
    "/webhooks": "",
    "/keys": "",
}


def test_every_screen_of_a_new_organisation_is_there_and_teaches(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    visit = visiting(cookies=False, **LAPTOP)
    visit.admit(tenant(platform, "Just begun").cookies())
    for path, words in EMPTY.items():
        visit.page.goto(path)
        expect(visit.page.locator("h1")).to_be_visible()
        if words:
            expect(visit.page.get_by_role("heading", name=words)).to_be_visible()


def picture(visit: Visit, name: str) -> None:
    """A picture to look at, where RUSHES_PICTURES names a folder; never compared by pixels."""
    folder = os.environ.get("RUSHES_PICTURES")
    if folder:
        visit.page.screenshot(path=Path(folder) / f"{name.strip('/').replace('/', '-')}.png", full_page=True)
