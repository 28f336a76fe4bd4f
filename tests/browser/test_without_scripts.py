"""The page without JavaScript: sign in, generate, see the film, filter, cancel, purge, sign out."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
from playwright.sync_api import expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit


def test_a_film_is_made_without_scripts(visiting: Callable[..., Visit], platform: RunningPlatform) -> None:
    page = visiting(cookies=False, java_script_enabled=False).page
    page.goto("/models/rushes-test")
    page.get_by_label("Or an API key").fill(platform.key)
    page.get_by_role("button", name="Use this key").click()
    expect(page).to_have_url(f"{platform.address}/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("By form alone")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("By form alone")
    request_id = page.url.rpartition("/")[2]
    with platform.client() as client:
        assert final(client, request_id)["status"] == "success"
    page.reload()
    expect(page.locator(".stage video")).to_be_visible()
    expect(page.locator(".only-script").first).to_be_hidden()


def test_a_page_of_a_running_request_reads_itself_again(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    page = visiting(java_script_enabled=False).page
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Waits", "rushes_fault": {"stall": 120}})
    page.goto(f"/requests/{request_id}")
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".stage")).to_have_attribute("data-status", "cancelled")
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 0


def test_faults_come_back_beside_their_fields_with_what_was_typed(visiting: Callable[..., Visit]) -> None:
    visit = visiting(java_script_enabled=False)
    visit.allow("status of 400")
    page = visit.page
    page.goto("/models/wan2.7-t2v")
    page.get_by_label("Prompt", exact=False).first.fill("Kept")
    page.locator("#field-duration").fill("99")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#field-duration-error")).to_have_text("Must be between 2 and 15")
    expect(page.locator("#field-duration")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Prompt", exact=False).first).to_have_value("Kept")


def test_a_file_is_sent_by_a_plain_form(visiting: Callable[..., Visit], platform: RunningPlatform) -> None:
    page = visiting(java_script_enabled=False).page
    page.goto("/models/wan2.7-i2v")
    page.get_by_label("Prompt", exact=False).first.fill("From a picture")
    page.locator('[name="f.first_frame"]').set_input_files("examples/pictures/coffee.png")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("From a picture")
    with platform.client() as client:
        record = client.get(f"/requests/{page.url.rpartition('/')[2]}").json()
        assert "/files/" in record["payload"]["first_frame"]
        client.post(f"/requests/{record['request_id']}/cancel")


def test_lists_are_filtered_and_a_request_is_purged(visiting: Callable[..., Visit], platform: RunningPlatform) -> None:
    page = visiting(java_script_enabled=False).page
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Zebra crossing"})
        final(client, request_id)
    page.goto("/requests")
    page.get_by_placeholder("Words, an id, model:, status:").fill("zebra status:success")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".row")).to_have_count(1)
    page.get_by_role("link", name="Zebra crossing").click()
    page.locator("#purge summary").click()
    page.get_by_label("First 4 characters of the id").fill("nope")
    page.get_by_role("button", name="Purge").click()
    expect(page.locator("#purge-error")).to_be_visible()
    page.get_by_label("First 4 characters of the id").fill(request_id[:4])
    page.get_by_role("button", name="Purge").click()
    expect(page.get_by_text("The film is gone")).to_be_visible()


def test_a_key_is_made_and_revoked_by_forms(
    visiting: Callable[..., Visit], platform: RunningPlatform, owner: list[dict[str, str]]
) -> None:
    visit = visiting(cookies=False, java_script_enabled=False)
    visit.admit(owner)
    page = visit.page
    page.goto("/keys")
    page.get_by_label("Name").fill("by form")
    page.get_by_role("button", name="Make", exact=True).click()
    key = page.locator("#new-key").inner_text()
    models = f"{platform.address}/api/v1/ie/requestqueue/apikey/models"
    called = {"headers": {"Authorization": f"Bearer {key}"}, "trust_env": False}
    assert httpx2.get(models, **called).status_code == 200  # type: ignore[arg-type]
    page.locator("tr", has_text="by form").get_by_role("link", name="Revoke").click()
    page.get_by_label("Type its name to go on").fill("by form")
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("tr", has_text="by form")).to_have_count(0)
    assert httpx2.get(models, **called).status_code == 401  # type: ignore[arg-type]


def test_the_theme_is_chosen_by_a_form(visiting: Callable[..., Visit]) -> None:
    page = visiting(java_script_enabled=False).page
    page.goto("/requests?q=status:failed")
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith("/requests?q=status:failed")
