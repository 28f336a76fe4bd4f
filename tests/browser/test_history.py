"""The list lives: new requests wait in a bar, filters are addresses, rows are picked and acted on, back is back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit

STALL = {"rushes_fault": {"stall": 300}}


@pytest.fixture(scope="module")
def done(platform: RunningPlatform) -> str:
    """A film with words of its own."""
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Heron among reeds"})
        final(client, request_id)
    return request_id


def test_a_request_made_elsewhere_waits_in_a_bar(page: Page, done: str, platform: RunningPlatform) -> None:
    page.goto("/requests")
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    first = page.locator(".row").first
    before = first.get_attribute("data-id")
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "From elsewhere"})
        final(client, request_id)
    bar = page.locator("[data-new] button")
    expect(bar).to_have_text("1 new", timeout=20_000)
    assert first.get_attribute("data-id") == before
    bar.click()
    row = page.locator(f'.row[data-id="{request_id}"]')
    expect(row).to_have_attribute("data-status", "success")
    expect(row.locator("a.prompt")).to_have_text("From elsewhere")


def test_a_row_is_updated_in_its_place(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Stays where it is", "seconds": 2})
        page.goto("/requests")
        expect(page.locator("html[data-stream=open]")).to_be_attached()
        row = page.locator(f'.row[data-id="{request_id}"]')
        row.evaluate("(row) => (row.same = true)")
        final(client, request_id)
    expect(row).to_have_attribute("data-status", "success", timeout=20_000)
    expect(row.locator(".thumb img")).to_be_visible()
    assert row.evaluate("(row) => row.same") is True


@pytest.mark.parametrize("text", ["heron", "status:success heron", "model:rushes-test heron"])
def test_the_box_finds_by_words_status_and_model(page: Page, done: str, text: str) -> None:
    page.goto("/requests")
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_have_attribute("data-id", done)
    page.reload()
    expect(page.locator(".row")).to_have_count(1)


def test_the_box_finds_by_a_whole_id(page: Page, done: str) -> None:
    page.goto(f"/requests?q={done}")
    expect(page.locator(".row")).to_have_attribute("data-id", done)


def test_a_filter_is_taken_away_by_its_chip(page: Page, done: str) -> None:
    page.goto("/requests?q=heron+status%3Afailed")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("link", name="status:failed").click()
    expect(page.locator(".row")).to_have_count(1)


def test_several_are_cancelled_at_once_after_the_number_is_typed(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        ids = [submitted(client, "rushes-test", {"prompt": f"Bulk {i}", **STALL}) for i in range(3)]
        page.goto("/requests?q=Bulk")
        expect(page.locator(".row")).to_have_count(3)
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Shift+X")
        expect(page.locator("[data-count]")).to_have_text("3 selected")
        page.locator("[data-bulk=cancel]").click()
        page.locator("[data-bulk-go]").click()
        expect(page.locator("[data-bulk-error]")).to_have_text("Type 3.")
        page.locator("[data-bulk-number]").fill("3")
        with page.expect_navigation():
            page.locator("[data-bulk-go]").click()
        expect(page.locator(".row[data-status=cancelled]")).to_have_count(3)
        assert {client.get(f"/requests/{each}").json()["status"] for each in ids} == {"cancelled"}


def test_back_from_a_detail_keeps_the_filter_and_the_place(page: Page, done: str) -> None:
    page.goto("/requests?q=heron+status%3Asuccess")
    page.locator("a.prompt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Heron among reeds")
    page.evaluate("setTimeout(() => history.back())")
    expect(page.locator(".row")).to_have_count(1)
    assert urlsplit(page.url).query == "q=heron+status%3Asuccess"


def test_single_keys_are_dead_while_typing_and_can_be_switched_off(page: Page) -> None:
    page.goto("/requests")
    page.locator("[data-search]").focus()
    page.keyboard.type("gm?x")
    expect(page.locator("[data-search]")).to_have_value("gm?x")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("main").focus()
    page.keyboard.press("?")
    page.get_by_label("Switch single keys off").check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_g_and_a_letter_lead_to_a_section(page: Page) -> None:
    page.goto("/requests")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/models")


def test_films_play_in_the_list_unless_less_motion_is_wished_for(visiting: Callable[..., Visit], done: str) -> None:
    for wish, films in (("no-preference", 1), ("reduce", 0)):
        page = visiting(reduced_motion=wish).page
        page.goto(f"/requests?q={done}")
        page.locator(".row").hover()
        page.locator("a.prompt").focus()
        expect(page.locator(".thumb video")).to_have_count(films)


@pytest.fixture(scope="module")
def many(platform: RunningPlatform) -> list[str]:
    """More than two pages of requests, newest first. They are cancelled at once: a row needs no film."""
    with platform.client() as client:
        bodies = [{"model": "rushes-test", "payload": {"prompt": f"Endless {i}", **STALL}} for i in range(230)]
        group = client.post("/requests/batch", json={"requests": bodies}).raise_for_status().json()
        client.post(f"/groups/{group['group_id']}/cancel").raise_for_status()
        listed: list[str] = []
        cursor: str | None = None
        while not listed or cursor:
            query = {"group_id": group["group_id"], "limit": 100, **({"cursor": cursor} if cursor else {})}
            found = client.get("/requests", params=query).json()
            listed += [request["request_id"] for request in found["requests"]]
            cursor = found["next_cursor"]
    return listed


def test_older_requests_come_as_one_scrolls_and_the_address_keeps_the_place(page: Page, many: list[str]) -> None:
    page.goto("/requests?q=Endless")
    rows = page.locator(".row")
    expect(rows).to_have_count(100)
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(200)
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(230)
    assert rows.evaluate_all("(rows) => rows.map((row) => row.dataset.id)") == many
    expect(page.locator("[data-older]")).to_be_hidden()
    rows.nth(150).scroll_into_view_if_needed()
    page.wait_for_url("**/requests?q=Endless&cursor=*")
    page.reload()
    expect(rows.first).to_have_attribute("data-id", many[100])
    page.get_by_role("link", name="Newest first").click()
    expect(rows.first).to_have_attribute("data-id", many[0])


def test_the_box_finds_by_seed(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "wan2.7-t2v", {"prompt": "Sown once", "seed": 777_003})
        client.post(f"/requests/{request_id}/cancel").raise_for_status()
    page.goto("/requests")
    page.locator("[data-search]").fill("seed:777003 sown")
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_have_attribute("data-id", request_id)


def test_keys_cancel_open_and_run_again(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "By keys", **STALL})
        page.goto(f"/requests?q={request_id}")
        page.keyboard.press("j")
        page.keyboard.press("c")
        expect(page.locator(".row")).to_have_attribute("data-status", "cancelled")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/requests/{request_id}")
        page.goto(f"/requests?q={request_id}")
        page.keyboard.press("j")
        page.keyboard.press("r")
        page.wait_for_url(f"**/models/rushes-test?from={request_id}")


def test_a_long_press_plays_and_opens_nothing(visiting: Callable[..., Visit], done: str) -> None:
    page = visiting(viewport={"width": 412, "height": 915}, is_mobile=True, has_touch=True).page
    page.goto(f"/requests?q={done}")
    touch = {"bubbles": True, "cancelable": True, "pointerType": "touch"}
    prompt = page.locator("a.prompt")
    prompt.dispatch_event("pointerdown", touch)
    expect(page.locator(".thumb video")).to_have_count(1)
    prompt.dispatch_event("pointerup", touch)
    assert prompt.evaluate("(link) => !link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
    page.get_by_role("heading", level=1).dispatch_event("pointerdown", touch)
    expect(page.locator(".thumb video")).to_have_count(1)
    page.locator(".row").dispatch_event("pointerdown", touch)
    expect(page.locator(".thumb video")).to_have_count(0)
