"""One request in full: its contact sheet, a frame that begins the next film, the timeline, the tab's title."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted


@pytest.fixture(scope="module")
def film(platform: RunningPlatform) -> str:
    """A film that animatic drew."""
    with platform.client() as client:
        payload = {"prompt": "A harbour at dawn", "resolution": "720P", "duration": 2}
        request_id = submitted(client, "wan2.7-t2v", payload)
        final(client, request_id)
    return request_id


def test_a_frame_of_the_contact_sheet_begins_the_next_film(page: Page, platform: RunningPlatform, film: str) -> None:
    page.goto(f"/requests/{film}")
    expect(page.locator("rushes-sheet[data-state=drawn]")).to_be_visible(timeout=60_000)
    expect(page.locator(".sheet button")).to_have_count(12)
    page.locator(".sheet button").nth(5).click()
    page.wait_for_url(re.compile("/models/.*p.first_frame="), timeout=60_000)
    address = page.locator("#field-first_frame").input_value()
    with platform.client() as client:
        frame = client.get(address)
    assert frame.headers["content-type"] == "image/png"
    expect(page.locator(".price")).to_be_visible()


def test_the_page_of_a_film_tells_how_its_time_was_spent(page: Page, film: str) -> None:
    page.goto(f"/requests/{film}")
    expect(page).to_have_title(re.compile("^Success · wan2.7-t2v"))
    expect(page.locator(".timeline svg[role=img]").first).to_have_attribute("aria-label", re.compile("generating"))
    expect(page.locator("table.payload .changed")).to_have_count(3)
    expect(page.locator(".facts-card")).to_contain_text("1280 × 720")


def test_again_with_these_settings_fills_the_form(page: Page, film: str) -> None:
    page.goto(f"/requests/{film}")
    page.get_by_role("link", name="Again with these settings").click()
    expect(page.get_by_label("Prompt", exact=False).first).to_have_value("A harbour at dawn")
    expect(page.locator("#field-duration")).to_have_value("2")
    expect(page.locator("input[value='720P']")).to_be_checked()
