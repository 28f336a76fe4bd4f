"""A film from the page: price and faults while typing, one request for two clicks, live stages, the video, cancel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit

STAGE = "[data-runs] rushes-request"


def total(platform: RunningPlatform) -> int:
    with platform.client() as client:
        return client.get("/requests", params={"limit": 1}).json()["total"]


def latest(platform: RunningPlatform) -> str:
    with platform.client() as client:
        return client.get("/requests", params={"limit": 1}).json()["requests"][0]["request_id"]


@pytest.fixture
def studio(page: Page) -> Page:
    """The form of a model, ready to be typed into."""
    page.goto("/models/Wan-AI_Wan2.1-T2V-14B")
    return page


def priced(page: Page) -> None:
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached()
    expect(page.locator(".price:not([data-stale])")).to_be_attached()


def test_the_price_follows_what_is_chosen(page: Page) -> None:
    page.goto("/models/skyreels-v4-text-to-video")
    page.get_by_label("Prompt", exact=False).first.fill("A harbour at dawn")
    priced(page)
    before = page.locator("[data-price]").inner_text()
    page.get_by_label("Duration", exact=False).last.fill("3")
    page.get_by_label("Duration", exact=False).last.blur()
    expect(page.locator("[data-price]")).not_to_have_text(before)


def test_the_price_is_another_at_1080p(page: Page) -> None:
    page.goto("/models/wan3.0-video")
    page.get_by_label("Prompt", exact=False).first.fill("A harbour at dawn")
    prices: dict[str, str] = {}
    for resolution in ("720P", "1080P"):
        page.locator(f"[name='p.resolution'][value='{resolution}'] + span").click()
        priced(page)
        expect(page.locator("[data-price-note]")).to_contain_text("1920" if resolution == "1080P" else "1280")
        prices[resolution] = page.locator("[data-price]").inner_text()
    assert prices["720P"].startswith("$")
    assert float(prices["1080P"][1:]) > float(prices["720P"][1:])


SAID = """
() => {
  window.said = [];
  const place = document.querySelector("[data-announce]");
  const watched = { childList: true, characterData: true, subtree: true };
  new MutationObserver(() => window.said.push(place.textContent)).observe(place, watched);
}
"""


def test_each_change_of_status_is_announced_once(page: Page) -> None:
    page.goto("/models/rushes-test")
    page.evaluate(SAID)
    page.get_by_label("Prompt", exact=True).fill("Heard")
    page.locator("#field-seconds").fill("2")
    page.locator("[data-send]").click()
    expect(page.locator(f"{STAGE}[data-status=success]")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-announce]")).to_contain_text("Success")
    said: list[str] = [text.partition(".")[0] for text in page.evaluate("window.said")]
    assert len(said) == len(set(said)), said
    assert said[-2:] == ["Processing", "Success"]
    assert set(said) <= {"Queued", "Dispatched", "Processing", "Success"}


def test_a_fault_stands_beside_its_field_until_it_is_mended(visiting: Callable[..., Visit]) -> None:
    visit = visiting()
    visit.allow("status of 400")
    visit.page.goto("/models/wan2.7-t2v")
    visit.page.get_by_label("Prompt", exact=False).first.fill("A harbour")
    field = visit.page.locator("#field-duration")
    field.fill("99")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(visit.page.locator("#field-duration-error")).to_have_text("Must be between 2 and 15")
    field.fill("5")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_film_is_made_by_keyboard_and_played(studio: Page, platform: RunningPlatform) -> None:
    studio.get_by_label("Prompt", exact=False).first.focus()
    studio.keyboard.type("A sailing boat in a calm bay")
    priced(studio)
    studio.keyboard.press("Control+Enter")
    expect(studio.locator(f"{STAGE}[data-status=success]")).to_be_visible(timeout=60_000)
    studio.wait_for_function("() => document.querySelector('[data-runs] video').readyState >= 2")
    expect(studio.locator("[data-announce]")).to_contain_text("Success")
    expect(studio.locator(".under").last).to_contain_text("charged")
    with platform.client() as client:
        assert client.get(f"/requests/{latest(platform)}").json()["payload"]["prompt"] == "A sailing boat in a calm bay"


def test_two_clicks_are_one_request(studio: Page, platform: RunningPlatform) -> None:
    """Also where the first click was answered before the second came."""
    before = total(platform)
    studio.get_by_label("Prompt", exact=False).first.fill("Only once")
    priced(studio)
    studio.locator("[data-send]").hover()
    for click in (1, 2, 3):
        studio.mouse.down(click_count=click)
        studio.mouse.up(click_count=click)
        expect(studio.locator(STAGE)).to_have_count(1)
        expect(studio.locator("[data-send]")).to_be_enabled()
    assert total(platform) == before + 1
    with platform.client() as client:
        client.post(f"/requests/{latest(platform)}/cancel")


def test_cancel_stops_it_and_charges_nothing(page: Page, platform: RunningPlatform) -> None:
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("Waits")
    fault = '{"stall": 120}'
    page.locator("summary", has_text="Fault bench").click()
    page.locator("[name=rushes_fault]").nth(7).evaluate(f"(radio) => {{ radio.value = '{fault}'; radio.click(); }}")
    page.locator("[data-send]").click()
    stage = page.locator(STAGE)
    expect(stage).to_have_attribute("data-status", "processing", timeout=20_000)
    stage.get_by_role("button", name="Cancel").click()
    expect(stage).to_have_attribute("data-status", "cancelled")
    expect(stage.locator("[data-if=cancelled]")).to_contain_text("nothing charged")
    with platform.client() as client:
        assert final(client, latest(platform))["charge_micro_usd"] in (0, None)
        # It really stops: the one slot is free for the next long before the stall would have ended.
        after = submitted(client, "rushes-test", {"prompt": "After it", "seconds": 0.1, "frames": 2})
        assert final(client, after)["status"] == "success"


def test_a_failed_run_says_why_and_what_to_do(page: Page, platform: RunningPlatform) -> None:
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("Fails")
    page.locator("summary", has_text="Fault bench").click()
    page.get_by_label("Out of memory", exact=False).check()
    page.locator("[data-send]").click()
    stage = page.locator(f"{STAGE}[data-status=failed]")
    expect(stage).to_be_visible(timeout=40_000)
    expect(stage).to_contain_text("out of memory")
    expect(stage).to_contain_text("Ask for a smaller size or a shorter video.")
    expect(stage).to_contain_text("nothing charged")


def test_a_bracket_makes_a_request_for_each_value(page: Page, platform: RunningPlatform) -> None:
    page.goto("/models/wan2.7-t2v")
    before = total(platform)
    page.get_by_label("Prompt", exact=False).first.fill("Four of a kind")
    page.locator("[data-bracket=seed]").click()
    page.locator("[data-field=seed] [data-values]").fill("1-3")
    expect(page.locator("[data-price-note]")).to_have_text("for 3 requests")
    page.locator("[data-send]").click()
    expect(page.locator(STAGE)).to_have_count(3)
    with platform.client() as client:
        made = client.get("/requests", params={"limit": 3}).json()["requests"]
        assert {request["payload"]["seed"] for request in made} == {1, 2, 3}
        assert len({request["metadata"]["bracket"] for request in made}) == 1
        for request in made:
            client.post(f"/requests/{request['request_id']}/cancel")
    assert total(platform) == before + 3


def test_what_was_typed_survives_a_reload_and_a_request_survives_everything(
    studio: Page, platform: RunningPlatform
) -> None:
    studio.get_by_label("Prompt", exact=False).first.fill("Not sent yet")
    priced(studio)
    studio.reload()
    expect(studio.get_by_label("Prompt", exact=False).first).to_have_value("Not sent yet")
    studio.locator("[data-send]").click()
    expect(studio.locator(STAGE)).to_have_count(1)
    studio.goto(f"/requests/{latest(platform)}")
    expect(studio.get_by_role("heading", level=1)).to_have_text("Not sent yet")
    expect(studio.locator(".stage[data-status=success]")).to_be_visible(timeout=60_000)
