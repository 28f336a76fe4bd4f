"""Live updates through trouble: many tabs on one stream, streams that are cut, a server that dies or leaves."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.stream_door import StreamDoor, stream_door
from support.tenants import tenant
from support.visits import Visit

TABS = 12
"""More than the connections a browser keeps to one host: with a stream for each tab the last ones would never load."""
OPEN = "html[data-stream=open]"


@pytest.fixture
def door(platform: RunningPlatform) -> Iterator[StreamDoor]:
    """Where the browser thinks the server is."""
    with stream_door(platform.address) as door:
        yield door


@pytest.fixture
def through(visiting: Callable[..., Visit], door: StreamDoor) -> Visit:
    """A visit through the door; what a cut line says in the console is allowed."""
    visit = visiting(address=door.address)
    visit.allow("ERR_", "Failed to load resource", "Failed to fetch")
    return visit


def alive(page: Page) -> None:
    expect(page.locator(OPEN)).to_be_attached(timeout=20_000)


def test_more_tabs_than_connections_all_live_on_one_stream_of_the_server(through: Visit, door: StreamDoor) -> None:
    tabs = [through.page, *(through.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs:
        tab.goto("/requests", wait_until="commit")
    for tab in tabs:
        alive(tab)
    assert (door.open, door.most) == (1, 1)
    for tab in tabs[1:]:
        tab.close()
    alive(tabs[0])
    assert door.open == 1
    tabs[0].close()
    door.until(lambda seen: seen.open == 0)


def test_a_stream_cut_again_and_again_loses_nothing(
    through: Visit, door: StreamDoor, platform: RunningPlatform
) -> None:
    page = through.page
    door.cut_after = 3
    with platform.client() as client:
        page.goto("/models/rushes-test")
        alive(page)
        page.get_by_label("Prompt", exact=True).fill("Through every cut")
        page.locator("#field-seconds").fill("3")
        page.locator("[data-send]").click()
        stage = page.locator("[data-runs] rushes-request")
        expect(stage).to_have_attribute("data-status", "success", timeout=60_000)
        assert door.cuts >= 2
        door.cut_after = None
        alive(page)
        expect(page.locator("[data-offline]")).to_be_hidden()
        assert final(client, stage.get_attribute("data-id") or "")["status"] == "success"


@pytest.mark.long
def test_a_frozen_tab_catches_up(page: Page, platform: RunningPlatform) -> None:
    with platform.client() as client:
        payload = {"prompt": "While it slept", "rushes_fault": {"stall": 300}}
        request_id = submitted(client, "rushes-test", payload)
        try:
            page.goto("/requests")
            alive(page)
            devtools = page.context.new_cdp_session(page)
            devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
            # Nobody is told when the freezing is done, so the request goes on for the length of a long-poll.
            client.get(f"/requests/{request_id}", params={"wait": 10})
        finally:
            client.post(f"/requests/{request_id}/cancel")
        assert final(client, request_id)["status"] == "cancelled"
        row = page.locator(f'.row[data-id="{request_id}"]')
        assert row.get_attribute("data-status") == "processing", "the tab was not frozen"
        devtools.send("Page.setWebLifecycleState", {"state": "active"})
    expect(row).to_have_attribute("data-status", "cancelled", timeout=20_000)


def test_the_stream_of_another_organisation_tells_nothing_of_ours(
    visiting: Callable[..., Visit], door: StreamDoor, platform: RunningPlatform
) -> None:
    other = tenant(platform, "Listeners")
    visit = visiting(cookies=False, address=door.address)
    visit.admit(other.cookies())
    visit.page.goto("/requests")
    alive(visit.page)
    with platform.client() as ours, other.client() as theirs:
        hidden = submitted(ours, "rushes-test", {"prompt": "Not for others", "seconds": 0.1, "frames": 2})
        final(ours, hidden)
        shown = submitted(theirs, "rushes-test", {"prompt": "For them", "seconds": 0.1, "frames": 2})
        final(theirs, shown)
    expect(visit.page.locator("[data-new] button")).to_have_text("1 new", timeout=20_000)
    assert shown.encode() in door.said
    assert hidden.encode() not in door.said


def test_a_server_told_to_stop_ends_its_streams_whole_and_the_page_comes_back(
    through: Visit, door: StreamDoor, platform: RunningPlatform
) -> None:
    page = through.page
    page.goto("/requests")
    alive(page)
    (serve,) = platform.children("serve")
    serve.send_signal(signal.SIGTERM)
    door.until(lambda seen: seen.ended_whole == 1)
    serve.wait(60)
    expect(page.locator("html[data-stream=lost]")).to_be_attached(timeout=20_000)
    alive(page)
    expect(page.locator("[data-offline]")).to_be_hidden()


def test_a_killed_server_is_said_so_and_the_run_goes_on(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    visit = visiting()
    visit.allow("ERR_", "Failed to load resource", "Failed to fetch")
    page = visit.page
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Goes on", "rushes_fault": {"stall": 8}})
        page.goto(f"/requests/{request_id}")
        expect(page.locator(OPEN)).to_be_attached()
        (serve,) = platform.children("serve")
        serve.send_signal(signal.SIGKILL)
        expect(page.locator("html[data-stream=lost]")).to_be_attached(timeout=20_000)
        expect(page.locator(OPEN)).to_be_attached(timeout=60_000)
        expect(page.locator("[data-offline]")).to_be_hidden()
        assert final(client, request_id)["status"] == "success"
    expect(page.locator(".stage")).to_have_attribute("data-status", "success", timeout=60_000)
