"""Webhooks, Keys, Usage, Files and Operate: what an owner does there, with a real browser on a real platform."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit, axe_findings, broken_words, overflow, small_targets

from .test_every_page import LOOKS, PHONE, picture

SCREENS = ("/webhooks", "/keys", "/usage", "/files", "/operate")
LAPTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 900}}


@pytest.fixture
def visit(visiting: Callable[..., Visit], owner: list[dict[str, str]]) -> Callable[..., Visit]:
    """Makes visits of the owner."""

    def make(**options: Any) -> Visit:
        made = visiting(cookies=False, **{**LAPTOP, **options})
        made.admit(owner)
        return made

    return make


@pytest.fixture(scope="module")
def made(platform: RunningPlatform, owner: list[dict[str, str]]) -> str:
    """A film to be charged for, a receiver that caught its webhook, and a file: so no screen is empty."""
    cookies = {owner[0]["name"]: owner[0]["value"]}
    ours = {"Origin": platform.address, "Sec-Fetch-Site": "same-origin"}
    with httpx2.Client(base_url=platform.address, cookies=cookies, headers=ours, trust_env=False) as browser:
        browser.post("/webhooks/catcher")
        shown = re.search(r'id="catcher-url">([^<]+)<', browser.get("/webhooks").text)
        assert shown is not None
        browser.post("/files/upload", files={"file": ("a.png", picture_bytes(), "image/png")})
    with platform.client() as client:
        payload = {"prompt": "grey", "seconds": 0.1, "frames": 2}
        request_id = submitted(client, "rushes-test", payload, webhook_url=shown[1])
        final(client, request_id)
    return request_id


def picture_bytes(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 400), colour).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("theme", "device"), LOOKS)
def test_every_screen_is_accessible_and_fits(
    visit: Callable[..., Visit], made: str, theme: str, device: dict[str, Any]
) -> None:
    seen = visit(color_scheme=theme, **device)
    problems: list[str] = []
    for path in (*SCREENS, f"/requests/{made}"):
        seen.page.goto(path)
        seen.page.wait_for_load_state("load")
        seen.page.locator("main details:has(table)").evaluate_all("(all) => all.forEach((each) => (each.open = true))")
        picture(seen, f"{path.replace(made, 'TOLD')} {theme} {device['viewport']['width']}")
        problems += [f"{path}: {finding}" for finding in axe_findings(seen.page)]
        if overflow(seen.page) > 0:
            problems.append(f"{path}: {overflow(seen.page)} pixels too wide")
        problems += [f"{path}: {word} is broken" for word in broken_words(seen.page)]
        if device is PHONE:
            problems += [f"{path}: too small to touch: {target}" for target in small_targets(seen.page)]
    assert problems == [], "\n".join(problems)


def test_deliveries_appear_in_the_receiver_while_one_looks_and_become_a_test_that_passes(
    visit: Callable[..., Visit], platform: RunningPlatform, made: str, tmp_path: Path
) -> None:
    seen = visit()
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = seen.page
    page.goto("/webhooks")
    address = page.locator("#catcher-url").inner_text()
    page.get_by_role("button", name=re.compile("Make one|Rotate")).last.click()
    secret = page.locator("#new-secret").inner_text()
    assert secret.startswith("whsec_")
    page.goto("/webhooks")
    assert secret not in page.content()
    with platform.client() as client:
        body = {"model": "rushes-test", "payload": {"prompt": "seen", "seconds": 0.1, "frames": 2}}
        request_id = client.post("/requests", json={**body, "webhook_url": address}).json()["request_id"]
    row = page.locator(f"rushes-catcher li:has-text('evt_{request_id}')")
    expect(row).to_be_visible(timeout=20_000)
    row.locator("summary").click()
    assert request_id in row.locator("[data-part=body]").inner_text()
    row.get_by_role("button", name="Copy as pytest").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    test = tmp_path / "test_copied.py"
    test.write_text(page.evaluate("() => navigator.clipboard.readText()"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", "-c", "/dev/null", str(test)],
        env={"WEBHOOK_SECRET": secret, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_an_endpoint_is_added_tested_disabled_and_deleted_without_scripts(
    visit: Callable[..., Visit], made: str
) -> None:
    seen = visit(java_script_enabled=False)
    seen.allow("status of 400")
    page = seen.page
    page.goto("/webhooks")
    address = page.locator("#catcher-url").inner_text()
    page.locator("input[name=url][type=url]").fill("ftp://example.org")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Invalid url")
    page.locator("input[name=url][type=url]").fill(address)
    page.get_by_role("button", name="Add", exact=True).click()
    card = page.locator(".line-card", has_text=address)
    card.get_by_role("button", name="Test").click()
    expect(page.locator(".honest")).to_contain_text("The test was taken: 204")
    page.goto("/webhooks")
    page.locator(".line-card", has_text=address).get_by_role("button", name="Disable").click()
    expect(page.locator(".line-card", has_text=address).locator(".pill")).to_have_text("Disabled")
    page.locator(".line-card", has_text=address).get_by_role("button", name="Delete").click()
    expect(page.locator(".line-card", has_text=address)).to_have_count(0)
    page.locator(".log a", has_text="webhook.test").first.click()
    expect(page.locator("#delivery-body")).to_contain_text('"type":"webhook.test"')


def test_a_key_is_shown_once_leaves_the_page_and_is_revoked_by_its_name(
    visit: Callable[..., Visit], platform: RunningPlatform
) -> None:
    page = visit().page
    page.goto("/keys")
    page.get_by_label("Name").fill("laptop & <b>co</b>")
    page.get_by_role("button", name="Make", exact=True).click()
    key = page.locator("#new-key").inner_text()
    assert called_with(platform, key) == 200
    expect(page.locator("#new-export")).to_have_text(f"export GMI_API_KEY={key}")
    assert key not in page.url
    page.get_by_role("button", name="Done").click()
    assert key not in page.content()
    page.goto("/keys")
    assert key not in page.content()
    row = page.locator("tr", has_text="laptop & <b>co</b>")
    row.get_by_role("link", name="Revoke").click()
    page.get_by_label("Type its name to go on").fill("something else")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("That is not its name.")).to_be_visible()
    assert called_with(platform, key) == 200
    page.get_by_label("Type its name to go on").fill("laptop & <b>co</b>")
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("tr", has_text="laptop & <b>co</b>")).to_have_count(0)
    assert called_with(platform, key) == 401


def called_with(platform: RunningPlatform, key: str) -> int:
    url = f"{platform.address}/api/v1/ie/requestqueue/apikey/models"
    return httpx2.get(url, headers={"Authorization": f"Bearer {key}"}, trust_env=False).status_code


def test_usage_adds_up_and_its_table_is_a_file(visit: Callable[..., Visit], made: str) -> None:
    page = visit().page
    page.goto("/usage")
    expect(page.locator(".tile", has_text="Films").locator("dd")).not_to_have_text("0")
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    lines = Path(started.value.path()).read_text("utf-8").splitlines()
    assert lines[0] == "day,model,key_id,requests,seconds,run_seconds,charge_micro_usd"
    assert any(",rushes-test," in line for line in lines[1:])
    assert started.value.suggested_filename.startswith("usage-")


def test_a_dropped_picture_is_uploaded_shown_and_deleted(visit: Callable[..., Visit], made: str) -> None:
    seen = visit()
    seen.allow("status of 400")
    page = seen.page
    page.goto("/files")
    before = page.locator(".file-card").count()
    chooser = {"name": "new.png", "mimeType": "image/png", "buffer": picture_bytes("maroon")}
    page.locator("rushes-drop input[type=file]").set_input_files(chooser)  # type: ignore[arg-type]
    expect(page.locator(".file-card")).to_have_count(before + 1)
    assert (
        page.locator(".file-card img").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 640
    )
    page.locator("rushes-drop input[type=file]").set_input_files(
        {"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"}  # type: ignore[arg-type]
    )
    expect(page.locator(".uploads .error")).to_contain_text("no.png")
    page.locator(".file-card").first.get_by_role("button", name="Delete").click()
    expect(page.locator(".file-card")).to_have_count(before)


def test_a_lane_is_held_and_resumed_and_what_was_done_names_who(
    visit: Callable[..., Visit], platform: RunningPlatform, made: str
) -> None:
    page = visit().page
    page.goto("/operate")
    lane = page.locator(".line-card[data-key='faults']")
    lane.get_by_text("Hold", exact=False).first.click()
    lane.get_by_label("Why, for the others").fill("a fan is being changed")
    lane.get_by_role("button", name="Hold it").click()
    held = page.locator(".line-card[data-key='faults'][data-state=held]")
    expect(held).to_contain_text("a fan is being changed")
    with platform.client() as client:
        body = {"model": "rushes-test", "payload": {"prompt": "waits", "seconds": 0.1, "frames": 2}}
        request_id = client.post("/requests", json=body).json()["request_id"]
        assert client.get(f"/requests/{request_id}?wait=1").json()["status"] == "queued"
        held.get_by_role("button", name="Resume").click()
        assert client.get(f"/requests/{request_id}?wait=30").json()["status"] == "success"
    page.goto("/operate")
    expect(page.locator(".done-list")).to_contain_text("lane.held")
    expect(page.locator(".done-list li", has_text="lane.resumed").first).to_contain_text("@")


def test_the_figures_of_operate_follow_without_a_new_page(
    visit: Callable[..., Visit], platform: RunningPlatform, made: str
) -> None:
    page: Page = visit().page
    page.goto("/operate")
    done = page.locator("[data-text=done]")
    before = done.inner_text()
    with platform.client() as client:
        for _ in range(3):
            final(client, submitted(client, "rushes-test", {"prompt": "more", "seconds": 0.1, "frames": 2}))
    expect(done).not_to_have_text(before, timeout=15_000)


@pytest.mark.parametrize("path", SCREENS)
def test_a_key_sees_no_more_than_it_may(visiting: Callable[..., Visit], made: str, path: str) -> None:
    """The platform's key is no person: it makes no keys, sees no secrets, and does not operate the machine."""
    seen = visiting(**LAPTOP)
    seen.allow("status of 403", "status of 404")
    seen.page.goto(path)
    match path:
        case "/keys":
            expect(seen.page.get_by_role("alert")).to_contain_text("Keys are made by people")
        case "/operate":
            expect(seen.page.locator("rushes-operate")).to_have_count(0)
        case "/webhooks":
            expect(seen.page.get_by_text("A key cannot see secrets")).to_be_visible()
        case _:
            expect(seen.page.locator("h1")).to_be_visible()


def test_views_in_python_and_in_the_browser_say_the_same(visit: Callable[..., Visit], made: str) -> None:
    """operate_view.py and operate.js on the same records."""
    from rushes.playground import operate_view

    page = visit().page
    page.goto("/operate")
    module = page.evaluate(
        "() => performance.getEntriesByType('resource').map((each) => each.name)"
        ".find((name) => /operate/.test(name) && /\\.js/.test(name))"
    )
    qworkers = [
        {"state": state, "busy": 1, "slots": 2, "age_seconds": age, "requests": requests, "memory_bytes": memory}
        for state, age, requests, memory in (
            ("idle", 0.4, [], None),
            ("busy", 3.0, [{"model": "a", "progress": 7}], 123_456_789),
            ("lost", 99.0, [{"model": "a", "progress": 7}, {"model": "b", "progress": 0}], 2**31),
        )
    ]
    lanes = [
        {"state": "open", "queued": 12_345, "queued_is_capped": True, "running": 2, "oldest_queued_at": 1_000},
        {"state": "held", "queued": 0, "queued_is_capped": False, "running": 0, "oldest_queued_at": None},
    ]
    recent = {"seconds": 300, "finished": 12, "failed": 3, "wait_p50_seconds": 0.3, "wait_p95_seconds": 75.0}
    overview = {"waiting": 1234, "running": 2, "busy": 1, "slots": 4, "qworkers": 2, "held_lanes": 1, "recent": recent}
    script = """async ([module, qworkers, lanes, overview]) => {
      const { qworkerView, laneView, tilesView } = await import(module);
      return [qworkers.map(qworkerView), lanes.map((lane) => laneView(lane, 5000)), tilesView(overview)];
    }"""
    shown = page.evaluate(script, [module, qworkers, lanes, overview])
    assert shown == [
        [operate_view.qworker(row) for row in qworkers],
        [operate_view.lane(row, 5000) for row in lanes],
        operate_view.tiles(overview),
    ]
