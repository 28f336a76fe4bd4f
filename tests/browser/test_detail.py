"""One request in full: its contact sheet, a frame that begins the next film, the timeline, the tab's title."""

from __future__ import annotations

import re
from urllib.parse import quote

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


def test_films_begun_from_frames_are_a_chain(page: Page, platform: RunningPlatform, film: str) -> None:
    with platform.client() as client:
        frame = final(client, film)["outcome"]["last_frame_url"]
        page.goto(f"/models/wan2.7-i2v?p.first_frame={quote(frame, safe='')}&of={film}")
        page.get_by_label("Prompt", exact=False).first.fill("And on it goes")
        page.locator("[data-send]").click()
        stage = page.locator("[data-runs] rushes-request")
        expect(stage).to_have_count(1)
        request_id = stage.get_attribute("data-id")
        client.post(f"/requests/{request_id}/cancel")
        assert final(client, str(request_id))["metadata"] == {"made_from": film}
        other = submitted(
            client, "rushes-test", {"prompt": "Not of ours", "seconds": 0.1}, metadata={"made_from": "//x"}
        )
    page.goto(f"/requests/{film}")
    page.locator(".lineage").get_by_role("link", name="And on it goes").click()
    expect(page.locator(".prompt-title")).to_have_text("And on it goes")
    page.locator(".lineage").get_by_role("link", name="A harbour at dawn").click()
    page.wait_for_url(f"**/requests/{film}")
    page.goto(f"/requests/{other}")
    expect(page.locator(".prompt-title")).to_have_text("Not of ours")
    expect(page.locator(".lineage")).to_have_count(0)


def test_at_the_end_what_is_new_comes_and_whoever_types_or_reads_goes_on(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        before = submitted(client, "rushes-test", {"prompt": "Holds the slot", "rushes_fault": {"stall": 300}})
        request_id = submitted(client, "rushes-test", {"prompt": "Waits for it", "seconds": 0.5})
        try:
            page.goto(f"/requests/{request_id}")
            expect(page.locator("html[data-stream=open]")).to_be_attached()
            page.locator("summary", has_text="events").click()
            page.keyboard.press("Control+k")
            page.keyboard.type("half a wor")
            page.evaluate("window.same = true")
        finally:
            client.post(f"/requests/{before}/cancel")
        final(client, request_id)
    expect(page.locator("rushes-sheet[data-page=fresh][data-state=drawn]")).to_be_attached(timeout=60_000)
    expect(page.locator("[data-fresh=events]")).to_contain_text("success")
    expect(page.locator("[data-fresh=facts]")).to_contain_text("320 × 180")
    expect(page.locator(".timeline svg[role=img]").first).to_have_attribute("aria-label", re.compile("generating"))
    expect(page.locator("details", has=page.locator("[data-fresh=events]"))).to_have_attribute("open", "")
    expect(page.locator("#palette-q")).to_have_value("half a wor")
    expect(page.locator("#palette-q")).to_be_focused()
    assert page.evaluate("window.same") is True


def test_one_that_is_cancelled_on_its_page_can_be_tried_again_from_there(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Not now", "rushes_fault": {"stall": 300}})
    page.goto(f"/requests/{request_id}")
    page.evaluate("window.same = true")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Retry unchanged")).to_be_visible(timeout=60_000)
    assert page.evaluate("window.same") is True


def test_a_page_that_came_final_asks_for_nothing_when_the_stream_tells_of_it_again(page: Page, film: str) -> None:
    asked: list[str] = []
    page.goto(f"/requests/{film}")
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        """async () => {
          const told = [...document.querySelectorAll("rushes-request.stage, rushes-request.facts-card")];
          for (const each of told) {
            const shown = new Promise((resolve) => each.addEventListener("request-shown", resolve, { once: true }));
            each.hear({ type: "request.success" });
            await shown;
          }
          await fetch("/requests?the-last");
        }"""
    )
    assert [url for url in asked if url.endswith(f"/requests/{film}") and "/api/" not in url] == []
    assert any("the-last" in url for url in asked)


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
