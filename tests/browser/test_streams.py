"""Live updates through trouble: many tabs on one stream, a server that is killed and comes back in mid-run."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit

TABS = 9
"""More than the connections a browser keeps to one host: with a stream for each tab the last ones would never load."""
OPEN = "html[data-stream=open]"


@pytest.mark.long
def test_more_tabs_than_connections_all_live_on_one_stream(visiting: Callable[..., Visit]) -> None:
    visit = visiting()
    tabs = [visit.context.new_page() for _ in range(TABS)]
    for tab in tabs:
        tab.goto("/requests")
    for tab in tabs:
        expect(tab.locator(OPEN)).to_be_attached()


def test_a_killed_server_is_said_so_and_the_run_goes_on(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    visit = visiting()
    visit.allow("ERR_", "Failed to load resource", "Failed to fetch")
    page = visit.page
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Goes on", "rushes_fault": {"stall": 12}})
        page.goto(f"/requests/{request_id}")
        expect(page.locator(OPEN)).to_be_attached()
        (serve,) = platform.children("serve")
        serve.send_signal(signal.SIGKILL)
        expect(page.locator("html[data-stream=lost]")).to_be_attached(timeout=20_000)
        expect(page.locator(OPEN)).to_be_attached(timeout=60_000)
        expect(page.locator("[data-offline]")).to_be_hidden()
        assert final(client, request_id)["status"] == "success"
    expect(page.locator(".stage")).to_have_attribute("data-status", "success", timeout=60_000)
