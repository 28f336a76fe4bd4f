"""The page in one hand: five sections and More at the bottom, the main action where the thumb is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit

from .test_every_page import PHONE

HEIGHT = PHONE["viewport"]["height"]


@pytest.fixture
def phone(visiting: Callable[..., Visit]) -> Page:
    """Somebody who has signed in on a phone."""
    return visiting(**PHONE).page


def bottom(part: Locator) -> float:
    """How far a part's lower edge is from the bottom of the window, in CSS pixels."""
    box = part.bounding_box()
    assert box is not None
    return HEIGHT - box["y"] - box["height"]


def test_the_bar_has_five_sections_and_more(phone: Page) -> None:
    phone.goto("/requests")
    bar = phone.get_by_role("navigation", name="Sections")
    assert bottom(bar) == 0
    assert bar.locator("> :visible").all_inner_texts() == ["Models", "Requests", "Files", "Keys", "Usage", "More"]
    assert bar.evaluate("(bar) => bar.scrollWidth <= bar.clientWidth")
    bar.get_by_text("More", exact=True).tap()
    bar.get_by_role("link", name="Webhooks").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Webhooks")
    expect(bar.locator("summary")).to_have_css(
        "color", phone.locator("h1").evaluate("(h) => getComputedStyle(h).color")
    )


@pytest.mark.long
def test_more_closes_when_something_else_is_touched_or_escape_is_pressed(phone: Page) -> None:
    phone.goto("/requests")
    more = phone.locator("nav .rest")
    for leave in (lambda: phone.get_by_role("heading", level=1).tap(), lambda: phone.keyboard.press("Escape")):
        phone.get_by_text("More", exact=True).tap()
        expect(more).to_have_attribute("open", "")
        leave()
        expect(more).not_to_have_attribute("open", "")


def test_the_main_action_stays_at_the_bottom_wherever_one_scrolls(phone: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "In one hand", "seconds": 0.1, "frames": 2})
        final(client, request_id)
    actions = {"/models/wan2.7-i2v": "[data-send]", f"/requests/{request_id}": ".actions-card .primary"}
    for path, action in actions.items():
        phone.goto(path)
        for place in ("0", "document.body.scrollHeight"):
            phone.evaluate(f"scrollTo(0, {place})")
            expect(phone.locator(action)).to_be_in_viewport(ratio=1)
            assert 50 < bottom(phone.locator(action)) < 90
            phone.locator(action).tap(trial=True)


@pytest.mark.long
def test_what_is_picked_is_acted_on_at_the_bottom(phone: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        final(client, submitted(client, "rushes-test", {"prompt": "To pick", "seconds": 0.1, "frames": 2}))
    phone.goto("/requests?q=pick")
    phone.locator(".pick").first.tap()
    expect(phone.locator("[data-count]")).to_have_text("1 selected")
    assert 50 < bottom(phone.locator("[data-selection]")) < 70
