"""Back is back: the list as it was left, with and without the back/forward cache, and nothing is sent twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Request, expect, sync_playwright
from support.chromium import FLAGS, chromium
from support.platform import RunningPlatform, final, submitted
from support.tenants import Tenant, copies, tenant
from support.visits import Visit

ROWS = 350
PAGE = 100
FILTER = "heron status:success"
LAPTOP = {"width": 1360, "height": 900}


@pytest.fixture(scope="module", params=["without the cache", "with the cache"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Playwright switches the back/forward cache off; people's browsers have it on."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    keep = ["--disable-back-forward-cache"] if request.param == "with the cache" else []
    with sync_playwright() as playwright:
        started = launched(playwright, path, keep)
        yield started
        started.close()


def launched(playwright: Playwright, path: str, keep: list[str]) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=FLAGS, ignore_default_args=keep)


@pytest.fixture(scope="module")
def herons(platform: RunningPlatform) -> Tenant:
    """An organisation with a long history of herons, and one request that is none."""
    org = tenant(platform, "Herons")
    with org.client() as client:
        first = submitted(client, "rushes-test", {"prompt": "No bird", "seconds": 0.1, "frames": 2})
        final(client, first)
    copies(platform, first, ROWS, org.org_id, "Heron")
    return org


@pytest.fixture
def page(visiting: Callable[..., Visit], herons: Tenant) -> Page:
    visit = visiting(cookies=False, viewport=LAPTOP)
    visit.admit(herons.cookies())
    return visit.page


def back(page: Page) -> None:
    """`page.go_back` waits for a load that a page from the cache never has."""
    page.evaluate("setTimeout(() => history.back())")


def has_cache(request: pytest.FixtureRequest) -> bool:
    return "with the cache" in request.node.name


def shown(page: Page) -> dict[str, Any]:
    """What somebody sees of the list: its address, its rows, and where it is scrolled to."""
    return page.evaluate(
        """() => ({
          path: location.pathname + location.search,
          ids: [...document.querySelectorAll(".row")].map((row) => row.dataset.id),
          chips: [...document.querySelectorAll(".chips .chip")].map((chip) => chip.textContent),
          at: Math.round(scrollY),
        })"""
    )


def address_of_page(tenant: Tenant, number: int) -> str:
    """The fourth page of the filtered list has the third's cursor in its address."""
    with tenant.client() as client:
        query: dict[str, Any] = {"q": "heron", "status": "success", "limit": 100}
        for _ in range(number - 1):
            query["cursor"] = client.get("/requests", params=query).json()["next_cursor"]
    return f"/requests?q=heron+status%3Asuccess&cursor={query['cursor']}"


def test_back_from_a_detail_keeps_rows_scroll_and_filter(
    page: Page, herons: Tenant, request: pytest.FixtureRequest
) -> None:
    page.goto(address_of_page(herons, 4))
    expect(page.locator(".row")).to_have_count(50)
    page.locator(".row").nth(20).scroll_into_view_if_needed()
    page.evaluate("() => (window.kept = true)")
    row = page.locator(".row").nth(18).locator("a.prompt")
    before = shown(page)
    assert before["at"] > 500
    row.click()
    expect(page.locator(".prompt-title")).to_contain_text("Heron")
    back(page)
    expect(page).to_have_url(re.compile(r"/requests\?q="))
    expect(page.locator(".row")).to_have_count(50)
    page.wait_for_function("(at) => Math.abs(scrollY - at) < 3", arg=before["at"])
    assert {**shown(page), "at": before["at"]} == before
    assert bool(page.evaluate("window.kept")) == has_cache(request), "not the kind of back this test is about"
    expect(page.locator("html[data-stream=open]")).to_be_attached()


@pytest.mark.long
def test_back_after_scrolling_on_is_where_one_was(page: Page, request: pytest.FixtureRequest) -> None:
    """With the cache every row that had come is there; without it the list begins at the page one looked at."""
    page.goto("/requests?q=heron")
    rows = page.locator(".row")
    for seen in (100, 200, 300):
        expect(rows.nth(seen - 1)).to_be_attached(timeout=20_000)
        rows.nth(seen - 1).scroll_into_view_if_needed()
    row = rows.nth(250)
    row.scroll_into_view_if_needed()
    page.wait_for_url("**/requests?q=heron&cursor=*")
    wanted = row.get_attribute("data-id") or ""
    row.locator("a.prompt").click()
    expect(page.locator(".prompt-title")).to_contain_text("Heron")
    back(page)
    expect(page).to_have_url(re.compile(r"/requests\?q=heron&cursor="))
    again = page.locator(f'.row[data-id="{wanted}"]')
    expect(again).to_be_attached()
    if has_cache(request):
        expect(rows).to_have_count(ROWS)
        expect(again).to_be_in_viewport()
    else:
        assert wanted in shown(page)["ids"][:PAGE]


def test_a_page_from_the_cache_hears_what_happens_again(page: Page, herons: Tenant) -> None:
    page.goto("/requests")
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    page.locator("a.prompt").first.click()
    expect(page.locator(".prompt-title")).to_be_visible()
    back(page)
    expect(page).to_have_url(re.compile("/requests$"))
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    with herons.client() as client:
        final(client, submitted(client, "rushes-test", {"prompt": "After back", "seconds": 0.1, "frames": 2}))
    expect(page.locator("[data-new] button")).to_have_text("1 new", timeout=20_000)


def submits(page: Page) -> list[str]:
    """The requests that this page sends from now on."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and "dry_run" not in request.url:
            sent.append(request.url)

    page.context.on("request", note)
    return sent


def total(tenant: Tenant) -> int:
    with tenant.client() as client:
        return client.get("/requests", params={"limit": 1}).json()["total"]


def test_back_after_a_submit_never_sends_again(page: Page, herons: Tenant) -> None:
    before = total(herons)
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("Sent once")
    page.locator("[data-send]").click()
    expect(page.locator("[data-runs] rushes-request[data-status=success]")).to_be_visible(timeout=60_000)
    sent = submits(page)
    page.get_by_role("link", name="Details").click()
    expect(page.locator(".prompt-title")).to_have_text("Sent once")
    back(page)
    expect(page).to_have_url(re.compile("/models/rushes-test$"))
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    page.evaluate("setTimeout(() => history.forward())")
    expect(page.locator(".prompt-title")).to_have_text("Sent once")
    assert (sent, total(herons)) == ([], before + 1)


def test_without_scripts_back_and_reload_after_a_submit_send_nothing(
    visiting: Callable[..., Visit], herons: Tenant
) -> None:
    before = total(herons)
    visit = visiting(cookies=False, java_script_enabled=False)
    visit.admit(herons.cookies())
    page = visit.page
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("Sent once by a form")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".prompt-title")).to_have_text("Sent once by a form")
    sent = submits(page)
    page.reload()
    page.go_back(wait_until="commit")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Sent once by a form")
    assert (sent, total(herons)) == ([], before + 1)


def test_an_address_that_was_kept_opens_what_it_showed(
    page: Page, visiting: Callable[..., Visit], herons: Tenant
) -> None:
    address = address_of_page(herons, 2)
    page.goto(address)
    first = shown(page)["ids"]
    assert len(first) >= 100
    visit = visiting(cookies=False, viewport=LAPTOP)
    visit.page.goto(address)
    visit.page.get_by_label("Or an API key").fill(herons.key)
    visit.page.get_by_role("button", name="Use this key").click()
    visit.page.wait_for_url(f"**{address}")
    assert shown(visit.page)["ids"][:100] == first[:100]
