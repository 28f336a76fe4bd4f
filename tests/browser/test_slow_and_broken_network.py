"""A bad network and a server that refuses: the form works before its scripts, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, Route, expect
from support.platform import RunningPlatform
from support.stream_door import stream_door
from support.tenants import Tenant, tenant
from support.visits import Visit

PROMPT = "A harbour that nobody may lose"
SCRIPTS = re.compile(r"/static/.*\.js$")
OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
GOOD = {**OFFLINE, "offline": False}
LOST = ("ERR_", "Failed to load resource", "Failed to fetch")


class Network:
    """The line of one page, through the browser's own tools."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Network.enable")

    def become(self, conditions: dict[str, Any]) -> None:
        self._devtools.send("Network.emulateNetworkConditions", conditions)


def prompt(page: Page) -> Locator:
    return page.get_by_label("Prompt", exact=True)


def total(tenant: Tenant) -> int:
    with tenant.client() as client:
        return client.get("/requests", params={"limit": 1}).json()["total"]


@pytest.fixture(scope="module")
def studio(platform: RunningPlatform) -> Tenant:
    """An organisation that nobody else uses, so that its requests can be counted."""
    return tenant(platform, "Network")


@pytest.fixture
def visit(visiting: Callable[..., Visit], studio: Tenant) -> Visit:
    made = visiting(cookies=False, viewport={"width": 1360, "height": 900})
    made.admit(studio.cookies())
    made.allow(*LOST)
    return made


def test_on_a_slow_line_the_form_is_used_before_its_scripts_and_they_keep_what_was_typed(
    visit: Visit, studio: Tenant
) -> None:
    page = visit.page
    page.goto("/models/rushes-test")
    prompt(page).fill("An older draft")
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached()
    waiting: list[Route] = []
    page.route(SCRIPTS, lambda route: waiting.append(route))
    page.goto("/models/rushes-test", wait_until="commit")
    prompt(page).fill(PROMPT)
    assert page.evaluate("customElements.get('rushes-form') === undefined")
    page.route(SCRIPTS, lambda route: route.continue_())
    for route in waiting:
        route.continue_()
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached(timeout=60_000)
    expect(prompt(page)).to_have_value(PROMPT)
    expect(page.locator("[data-live] [data-sample=curl] code")).to_contain_text(PROMPT)


def test_a_form_sent_before_its_scripts_is_one_request(visit: Visit, studio: Tenant) -> None:
    before = total(studio)
    page = visit.page
    page.route(SCRIPTS, lambda route: route.abort())
    page.goto("/models/rushes-test")
    prompt(page).fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PROMPT)
    assert total(studio) == before + 1


def filled(visit: Visit) -> Page:
    """A form that has its price and could be sent."""
    page = visit.page
    page.goto("/models/rushes-test")
    prompt(page).fill(PROMPT)
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached()
    return page


def sent(page: Page) -> None:
    """Generate is pressed, and this time it goes through."""
    page.locator("[data-send]").click()
    expect(page.locator("[data-runs] rushes-request")).to_have_count(1)


def test_offline_a_submit_keeps_the_text_and_sends_nothing_until_asked_again(visit: Visit, studio: Tenant) -> None:
    before = total(studio)
    page = filled(visit)
    line = Network(page)
    line.become(OFFLINE)
    page.locator("[data-send]").click()
    expect(page.locator("[data-toasts]")).to_contain_text("Nothing was sent; your text is kept")
    expect(prompt(page)).to_have_value(PROMPT)
    assert total(studio) == before
    line.become(GOOD)
    sent(page)
    assert total(studio) == before + 1


def test_a_submit_whose_answer_was_lost_is_one_request_when_it_is_sent_again(visit: Visit, studio: Tenant) -> None:
    before = total(studio)
    page = filled(visit)
    lost: list[int] = []

    def lose(route: Route) -> None:
        if "dry_run" in route.request.url or lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort("connectionreset")

    page.route("**/requestqueue/requests*", lose)
    page.locator("[data-send]").click()
    expect(page.locator("[data-toasts]")).to_contain_text("The server does not answer")
    assert (lost, total(studio)) == ([200], before + 1)
    sent(page)
    assert total(studio) == before + 1


def test_an_upload_cut_half_way_says_so_and_the_rest_of_the_form_stays(
    visiting: Callable[..., Visit], studio: Tenant, platform: RunningPlatform
) -> None:
    picture = {"name": "half.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(4_000_000)}
    with stream_door(platform.address) as door:
        visit = visiting(cookies=False, address=door.address)
        visit.admit(studio.cookies())
        visit.allow(*LOST)
        page = visit.page
        page.goto("/models/wan2.7-i2v")
        page.get_by_label("Prompt", exact=False).first.fill(PROMPT)
        field = page.locator("[data-field=first_frame]")
        door.cut_upload_after = 2_000_000
        field.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
        expect(field.locator("rushes-media")).to_have_attribute("data-state", "failed")
        expect(field.locator("[data-error]")).to_contain_text("The upload was cut off")
        with page.expect_response("**/requests?dry_run=true"):
            page.get_by_label("Prompt", exact=False).first.fill(f"{PROMPT} again")
        with page.expect_response("**/requests?dry_run=true"):
            page.get_by_label("Prompt", exact=False).first.fill(PROMPT)
        expect(field.locator("[data-error]")).to_contain_text("The upload was cut off")
        expect(field.locator("progress")).to_have_count(0)
        expect(field.locator("input[name='p.first_frame']")).to_have_value("")
        expect(page.get_by_label("Prompt", exact=False).first).to_have_value(PROMPT)
        door.cut_upload_after = None
        field.locator("input[type=file]").set_input_files("examples/pictures/coffee.png")
        expect(field.locator("rushes-media")).to_have_attribute("data-state", "uploaded")
        expect(field.locator("[data-error]")).to_have_text("")


def refused(visiting: Callable[..., Visit], tenant: Tenant, status: int) -> Page:
    """A filled form on which Generate has been pressed, by an organisation that is refused with this status."""
    visit = visiting(cookies=False, viewport={"width": 1360, "height": 900})
    visit.admit(tenant.cookies())
    visit.allow(f"status of {status}")
    page = visit.page
    page.goto("/models/rushes-test")
    prompt(page).fill(PROMPT)
    page.locator("[data-send]").click()
    return page


def says(page: Page, code: str, *words: str) -> None:
    card = page.locator("[data-fault-box] [role=alert]")
    for text in (code, *words):
        expect(card).to_contain_text(text)
    expect(prompt(page)).to_have_value(PROMPT)
    expect(page.locator("[data-send]")).to_be_enabled()
    page.reload()
    expect(prompt(page)).to_have_value(PROMPT)


def test_without_money_it_says_so_and_keeps_the_text(visiting: Callable[..., Visit], platform: RunningPlatform) -> None:
    poor = tenant(platform, "Poor", balance_micro=1)
    says(refused(visiting, poor, 402), "insufficient_credits", "nothing was charged")
    assert total(poor) == 0


def test_too_many_submits_say_when_to_come_back_and_keep_the_text(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    hasty = tenant(platform, "Hasty", limits={"submits_per_minute": 1})
    with hasty.client() as client:
        while client.post("/requests", json={"model": "rushes-test", "payload": {"prompt": "x"}}).status_code == 200:
            pass
    before = total(hasty)
    says(refused(visiting, hasty, 429), "rate_limited", "Try again in", "nothing was charged")
    assert total(hasty) == before


@pytest.mark.parametrize(("status", "code"), [(503, "unavailable"), (413, "body_too_large")])
def test_a_server_that_cannot_or_will_not_says_so_and_the_text_stays(
    visiting: Callable[..., Visit], studio: Tenant, status: int, code: str
) -> None:
    before = total(studio)
    visit = visiting(cookies=False, viewport={"width": 1360, "height": 900})
    visit.admit(studio.cookies())
    visit.allow(f"status of {status}")
    page = visit.page
    page.goto("/models/rushes-test")
    prompt(page).fill(PROMPT)
    page.locator("summary", has_text="Fault bench").click()
    order = f'{{"http": {status}}}'
    page.locator("[name=rushes_fault]").nth(1).evaluate(f"(radio) => {{ radio.value = '{order}'; radio.click(); }}")
    page.locator("[data-send]").click()
    says(page, code)
    assert total(studio) == before


@pytest.mark.long
def test_a_picture_pasted_as_text_that_is_too_large_is_refused_and_the_rest_stays(visit: Visit) -> None:
    visit.allow("status of 413")
    page = visit.page
    page.goto("/models/wan2.7-i2v")
    page.get_by_label("Prompt", exact=False).first.fill(PROMPT)
    page.locator("[name='p.first_frame']").evaluate(
        """(field) => {
          field.value = "data:image/png;base64," + "A".repeat(13_000_000);
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    # Chromium itself lays out so long a line for seconds.
    page.locator("[data-send]").click(timeout=90_000)
    card = page.locator("[data-fault-box] [role=alert]")
    expect(card).to_contain_text("body_too_large", timeout=60_000)
    expect(card).to_contain_text("the limit is 12 MB. Send large files by upload-url or URL")
    expect(page.get_by_label("Prompt", exact=False).first).to_have_value(PROMPT)


def test_a_browser_that_can_keep_no_more_still_sends_and_forgets_an_older_draft(visit: Visit, studio: Tenant) -> None:
    before = total(studio)
    page = visit.page
    page.goto("/models/rushes-test")
    prompt(page).fill("An older draft")
    page.evaluate(
        """() => {
          for (let size = 1 << 22; size; size >>= 1) {
            try { while (true) localStorage.setItem(`full ${localStorage.length}`, "x".repeat(size)); } catch {}
          }
        }"""
    )
    prompt(page).fill(PROMPT * 20)
    assert page.evaluate("localStorage.getItem('rushes-draft:rushes-test')") is None
    sent(page)
    assert total(studio) == before + 1


def end_session(page: Page) -> None:
    """As from another tab: this one hears nothing of it."""
    told = {cookie.get("name", ""): cookie.get("value", "") for cookie in page.context.cookies()}
    origin = page.url.partition("/models")[0]
    httpx2.post(f"{origin}/sign-out", cookies=told, headers={"Origin": origin}, trust_env=False)


@pytest.mark.parametrize("path", ["/models/rushes-test", "/models/rushes-test?p.seconds=2"])
def test_a_session_that_ends_in_mid_form_is_opened_again_with_the_text_kept(
    visit: Visit, studio: Tenant, path: str
) -> None:
    page = visit.page
    page.goto(path)
    prompt(page).fill("Before it ended")
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached()
    end_session(page)
    prompt(page).fill(PROMPT)
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_label("Or an API key").fill(studio.key)
    page.get_by_role("button", name="Use this key").click()
    page.wait_for_url(f"**{path}")
    expect(prompt(page)).to_have_value(PROMPT)
    if "seconds" in path:
        expect(page.locator("#field-seconds")).to_have_value("2")


def test_without_scripts_a_session_that_ends_in_mid_form_leads_back_to_the_form(
    visiting: Callable[..., Visit], studio: Tenant
) -> None:
    visit = visiting(cookies=False, java_script_enabled=False)
    visit.admit(studio.cookies())
    page = visit.page
    page.goto("/models/rushes-test")
    prompt(page).fill(PROMPT)
    end_session(page)
    page.get_by_role("button", name="Generate").click()
    page.get_by_label("Or an API key").fill(studio.key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("rushes test model")
    expect(prompt(page)).to_have_value(PROMPT)
