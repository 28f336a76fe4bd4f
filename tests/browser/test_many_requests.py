"""A long history: what a page of it weighs, how it is found in, and what the browser keeps of it.

How quick it is stands in bench (`python -m bench page`).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.tenants import Tenant, copies, tenant
from support.visits import Visit

from bench.page_browser import heap

ROWS = 1_000
MANY = 100_000
PAGE = 100
FIRST_PAGE_BYTES = 100_000
HEAP_BYTES = 40_000_000


def filled(platform: RunningPlatform, name: str, rows: int) -> Tenant:
    """An organisation with so many films, all copies of a real one."""
    org = tenant(platform, name)
    with org.client() as client:
        first = submitted(client, "rushes-test", {"prompt": "The first of many", "seconds": 0.1, "frames": 2})
        final(client, first)
    copies(platform, first, rows - 1, org.org_id, "of a heron among reeds, slow dolly in, morning light")
    return org


@pytest.fixture(scope="module", params=[ROWS, pytest.param(MANY, marks=pytest.mark.long)])
def archive(request: pytest.FixtureRequest, platform: RunningPlatform) -> tuple[Tenant, int]:
    rows: int = request.param
    return filled(platform, f"Archive of {rows}", rows), rows


@pytest.fixture
def page(visiting: Callable[..., Visit], archive: tuple[Tenant, int]) -> Page:
    visit = visiting(cookies=False, viewport={"width": 1360, "height": 900})
    visit.admit(archive[0].cookies())
    return visit.page


def test_the_first_page_of_a_long_history_weighs_little_and_counts_them(
    page: Page, archive: tuple[Tenant, int], platform: RunningPlatform
) -> None:
    org, rows = archive
    cookies = {cookie["name"]: cookie["value"] for cookie in org.cookies()}
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    with httpx2.stream("GET", f"{platform.address}/requests", cookies=cookies, headers=headers) as answer:
        carried = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(carried) < FIRST_PAGE_BYTES
    assert gzip.decompress(carried).count(b'class="row"') == PAGE + 1  # and the template of a new one
    page.goto("/requests")
    expect(page.locator("[data-total]")).to_have_text(f"{min(rows, 10_000):,}")
    assert heap(page) < HEAP_BYTES


@pytest.mark.long
def test_a_thousand_are_scrolled_through_and_kept_in_little_memory(page: Page) -> None:
    page.goto("/requests")
    rows = page.locator(".row")
    for seen in range(PAGE, ROWS + 1, PAGE):
        expect(rows.nth(seen - 1)).to_be_attached(timeout=20_000)
        rows.nth(seen - 1).scroll_into_view_if_needed()
    ids: list[str] = rows.evaluate_all("(rows) => rows.map((row) => row.dataset.id)")
    assert len(ids) >= ROWS
    assert len(set(ids)) == len(ids)
    assert heap(page) < HEAP_BYTES


def test_one_of_many_is_found_by_its_id_by_its_beginning_and_by_a_word(page: Page, archive: tuple[Tenant, int]) -> None:
    org, rows = archive
    with org.client() as client:
        wanted = client.get("/requests", params={"q": str(rows - 7), "limit": 1}).json()["requests"][0]["request_id"]
    for text in (wanted, wanted[:8], f"copy {rows - 7}"):
        page.goto("/requests")
        page.keyboard.press("/")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_url("**/requests?*q=*", wait_until="commit")
        expect(page.locator(f'.row[data-id="{wanted}"]')).to_be_visible()
    assert page.locator(".row").count() <= 100
