"""What goes wrong is said with its code, what to do, and what support needs; what was there stays."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform
from support.visits import Visit


@pytest.fixture
def visit(visiting: Callable[..., Visit]) -> Visit:
    made = visiting(viewport={"width": 1360, "height": 900})
    made.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return made


def copied(page: Page) -> str:
    page.get_by_role("button", name="Copy for support").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    return page.evaluate("() => navigator.clipboard.readText()")


def test_a_refused_submit_says_why_when_to_try_again_and_under_which_call(visit: Visit) -> None:
    visit.allow("status of 429")
    page = visit.page
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("Refused")
    page.locator("summary", has_text="Fault bench").click()
    page.get_by_label("Refused, rate limited", exact=False).check()
    with page.expect_response(lambda answer: answer.url.endswith("/requests")) as refused:
        page.locator("[data-send]").click()
    card = page.locator("[data-fault-box] .fault")
    expect(card).to_contain_text("429 rate_limited")
    expect(card).to_contain_text("Wait for Retry-After seconds.")
    expect(card).to_contain_text("nothing was charged")
    expect(card.locator("rushes-countdown")).to_have_text("You can try again now.", timeout=10_000)
    call_id = refused.value.headers["rushes-call-id"]
    told = copied(page)
    assert told.startswith("429 rate_limited\n")
    assert f"Call {call_id}\nPage /models/rushes-test\n" in told
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Refused")


def test_a_page_that_is_not_there_says_so_with_what_support_needs(visit: Visit) -> None:
    visit.allow("status of 404")
    answer = visit.page.goto("/requests/820521c3-1ba8-44ce-b7e8-82820ee77111")
    assert answer is not None
    assert answer.status == 404
    call = visit.page.locator(".foot code").last.inner_text()
    assert re.fullmatch("[0-9a-f]{16}", call)
    assert f"Call {call}\nPage /requests/820521c3-1ba8-44ce-b7e8-82820ee77111" in copied(visit.page)


@pytest.mark.long
def test_without_a_server_the_last_rows_stay_and_no_form_is_thrown_away(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    visit = visiting()
    visit.allow("ERR_", "Failed to load resource", "Failed to fetch")
    page = visit.page
    page.goto("/webhooks")
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    page.get_by_label("Address").fill("https://example.com/kept")
    assert platform.process is not None
    (serve,) = platform.children("serve")
    platform.process.send_signal(signal.SIGSTOP)  # so that nobody starts another one yet
    try:
        serve.send_signal(signal.SIGKILL)
        expect(page.locator("[data-offline]")).to_be_visible(timeout=20_000)
        expect(page.locator("[data-offline]")).to_contain_text(re.compile("what you see is from [0-9:]{8}"))
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".toast")).to_contain_text("Nothing was sent")
        expect(page.get_by_label("Address")).to_have_value("https://example.com/kept")
    finally:
        platform.process.send_signal(signal.SIGCONT)
    expect(page.locator("[data-offline]")).to_be_hidden(timeout=60_000)
