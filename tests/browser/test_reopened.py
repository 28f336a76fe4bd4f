"""A request is on the server, not in a tab: reloaded, reopened or seen on another device, it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.tenants import Tenant, sql, tenant
from support.visits import Visit

from .test_every_page import PHONE

CLAIMED = """
UPDATE requests SET status = 'dispatched', waiting = false, attempt = 1, started_at = NULL,
       lease_until = clock_timestamp() + interval '1 hour'
 WHERE request_id = $1
"""


@pytest.fixture(scope="module")
def owner(platform: RunningPlatform) -> Tenant:
    return tenant(platform, "Two devices")


@pytest.fixture
def each(platform: RunningPlatform, owner: Tenant) -> Iterator[dict[str, str]]:
    """A request in every status that lasts; the one slot of the platform is taken by what is processing."""
    quick = {"seconds": 0.1, "frames": 2}
    with owner.client() as client:
        made = {
            "success": submitted(client, "rushes-test", {"prompt": "A success", **quick}),
            "failed": submitted(client, "rushes-test", {"prompt": "A failure", "rushes_fault": {"fail": "timeout"}}),
            "cancelled": submitted(client, "rushes-test", {"prompt": "A cancelled one"}),
        }
        client.post(f"/requests/{made['cancelled']}/cancel")
        for request_id in made.values():
            final(client, request_id)
        stall = {"rushes_fault": {"stall": 300}}
        made["processing"] = submitted(client, "rushes-test", {"prompt": "A running one", **stall})
        while client.get(f"/requests/{made['processing']}", params={"wait": 1}).json()["status"] != "processing":
            pass
        made["queued"] = submitted(client, "rushes-test", {"prompt": "A waiting one", **quick})
        made["dispatched"] = submitted(client, "rushes-test", {"prompt": "A claimed one", **quick})
        sql(platform, CLAIMED, UUID(made["dispatched"]))
        yield made
        for request_id in made.values():
            client.post(f"/requests/{request_id}/cancel")


def device(visiting: Callable[..., Visit], owner: Tenant, **options: object) -> Page:
    """A browser that has never been here, signed in by itself."""
    visit = visiting(cookies=False, **options)
    visit.admit(owner.cookies())
    return visit.page


def test_a_second_device_shows_each_request_in_its_status_and_so_does_a_reload(
    visiting: Callable[..., Visit], owner: Tenant, each: dict[str, str]
) -> None:
    phone = device(visiting, owner, **PHONE)
    for _ in range(2):
        phone.goto("/requests")
        for status, request_id in each.items():
            expect(phone.locator(f'.row[data-id="{request_id}"]')).to_have_attribute("data-status", status)
    for status, request_id in each.items():
        phone.goto(f"/requests/{request_id}")
        for _ in range(2):
            stage = phone.locator(".stage")
            expect(stage).to_have_attribute("data-status", status)
            expect(stage.locator(".pill").first).to_have_text(status.capitalize())
            phone.reload()


def test_what_was_begun_in_a_browser_that_was_closed_ends_in_another(
    visiting: Callable[..., Visit], owner: Tenant
) -> None:
    first = device(visiting, owner)
    first.goto("/models/rushes-test")
    first.get_by_label("Prompt", exact=True).fill("Begun and left")
    first.locator("#field-seconds").fill("3")
    first.locator("[data-send]").click()
    stage = first.locator("[data-runs] rushes-request")
    expect(stage).to_have_count(1)
    request_id = stage.get_attribute("data-id") or ""
    first.context.close()
    second = device(visiting, owner)
    second.goto("/requests?q=Begun")
    row = second.locator(f'.row[data-id="{request_id}"]')
    expect(row.locator("a.prompt")).to_have_text("Begun and left")
    expect(row).to_have_attribute("data-status", "success", timeout=60_000)
    row.locator("a.prompt").click()
    expect(second.locator(".stage video")).to_be_visible()
    second.reload()
    expect(second.locator(".stage video")).to_be_visible()
