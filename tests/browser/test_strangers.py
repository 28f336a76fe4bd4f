"""T23 to T25 in a real browser: other sites, other organisations, frames, cookies, secrets shown once, guessing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect
from rushes.accounts.guard import PER_EMAIL
from support.platform import RunningPlatform, final, submitted
from support.tenants import Tenant, sql, tenant
from support.visits import Visit

ATTACK = """<!doctype html><title>Another site</title>
<iframe id="frame" src="{victim}/models"></iframe>
<form id="submit" method="post" action="{victim}/models/rushes-test">
  <input name="p.prompt" value="Forged"><button>Win a prize</button></form>
"""


@pytest.fixture(scope="module")
def other_site(platform: RunningPlatform) -> Iterator[str]:
    """A web server on another host name, whose page frames us and sends a form in the visitor's name."""
    content = ATTACK.format(victim=platform.address).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def lured(visiting: Callable[..., Visit], other_site: str) -> Visit:
    """Somebody who is signed in here and looks at the other site."""
    visit = visiting(viewport={"width": 1360, "height": 900})
    visit.allow(
        "foreign host", "Refused to", "ERR_BLOCKED", "frame-ancestors", "X-Frame-Options", "status of 4", "policy:"
    )
    visit.page.goto(other_site)
    return visit


def total(platform: RunningPlatform) -> int:
    with platform.client() as client:
        return client.get("/requests", params={"limit": 1}).json()["total"]


def test_another_site_cannot_frame_us(lured: Visit) -> None:
    frame = lured.page.frame_locator("#frame")
    expect(lured.page.locator("#frame")).to_be_visible()
    lured.page.wait_for_load_state("load")
    assert frame.locator(".top").count() == 0
    assert not any("/models" in each.url for each in lured.page.frames)


def test_a_form_of_another_site_makes_nothing(lured: Visit, platform: RunningPlatform) -> None:
    before = total(platform)
    with lured.page.expect_navigation():
        lured.page.get_by_role("button", name="Win a prize").click()
    assert total(platform) == before


def test_a_script_of_another_site_reads_and_makes_nothing(lured: Visit, platform: RunningPlatform) -> None:
    before = total(platform)
    lured.allow("CORS", "ERR_FAILED")
    said = lured.page.evaluate(
        """async (victim) => {
          const outcomes = [];
          const calls = [
            ["/api/v1/ie/requestqueue/requests", {}],
            ["/api/v1/ie/requestqueue/requests", {
              method: "POST", headers: { "Content-Type": "text/plain" },
              body: JSON.stringify({ model: "rushes-test", payload: { prompt: "Forged" } }) }],
          ];
          for (const [path, options] of calls) {
            try {
              const answer = await fetch(victim + path, { credentials: "include", ...options });
              outcomes.push(await answer.text());
            } catch { outcomes.push("refused"); }
          }
          return outcomes;
        }""",
        platform.address,
    )
    assert said == ["refused", "refused"]
    assert total(platform) == before


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    page = visiting(cookies=False).page
    page.goto("/sign-in")
    page.get_by_label("Or an API key").fill(platform.key)
    page.get_by_role("button", name="Use this key").click()
    page.wait_for_url("**/models")
    (cookie,) = page.context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("path")) == (True, "Lax", "/")
    assert page.evaluate("document.cookie") == ""
    assert platform.key not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_signing_out_leaves_nothing_to_come_back_to(visiting: Callable[..., Visit], platform: RunningPlatform) -> None:
    visit = visiting(cookies=False, viewport={"width": 1360, "height": 900})
    page = visit.page
    page.goto("/sign-in")
    page.get_by_label("Or an API key").fill(platform.key)
    page.get_by_role("button", name="Use this key").click()
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill("A secret draft")
    expect(page.locator("rushes-form[data-state=priced]")).to_be_attached()
    page.get_by_label("Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate("localStorage.length") == 0
    page.evaluate("setTimeout(() => history.back())")
    expect(page).to_have_url(re.compile("/sign-in"))
    expect(page.locator("rushes-form")).to_have_count(0)


def test_a_key_that_was_shown_once_is_not_shown_again_by_back_or_forward(
    visiting: Callable[..., Visit], owner: list[dict[str, str]]
) -> None:
    visit = visiting(cookies=False, viewport={"width": 1360, "height": 900})
    visit.admit(owner)
    visit.allow("ERR_CACHE_MISS", "Failed to load resource")
    page = visit.page
    page.goto("/keys")
    page.get_by_label("Name").fill("shown once")
    page.get_by_role("button", name="Make", exact=True).click()
    key = page.locator("#new-key").inner_text()
    assert key.startswith("gmi_")
    page.goto("/models")
    page.evaluate("setTimeout(() => history.back())")
    expect(page).not_to_have_url(re.compile("/models"))
    assert key not in page.content()
    page.goto("/keys")
    assert key not in page.content()
    assert key not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_guessing_at_the_sign_in_page_ends_and_says_when_to_come_back(platform: RunningPlatform) -> None:
    said = {"email": "nobody@x.test", "password": "a wrong password"}
    sql(platform, "DELETE FROM login_failures")
    try:
        answers = [httpx2.post(f"{platform.address}/sign-in", data=said, trust_env=False) for _ in range(PER_EMAIL + 1)]
    finally:
        sql(platform, "DELETE FROM login_failures")
    assert {answer.status_code for answer in answers[:-1]} == {400}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Try again in" in answers[-1].text


@pytest.fixture(scope="module")
def stranger(platform: RunningPlatform) -> Tenant:
    return tenant(platform, "Strangers")


def browser_of(platform: RunningPlatform, cookies: list[dict[str, str]]) -> httpx2.Client:
    """A browser without an engine: cookies, and the word that its forms come from our own page."""
    kept = {cookie["name"]: cookie["value"] for cookie in cookies}
    headers = {"Origin": platform.address}
    return httpx2.Client(base_url=platform.address, headers=headers, cookies=kept, trust_env=False)


def test_the_addresses_of_another_organisation_lead_nowhere(
    platform: RunningPlatform, stranger: Tenant, owner: list[dict[str, str]]
) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Ours alone", "seconds": 0.1, "frames": 2})
        final(client, request_id)
        picture = ("ours.png", Path("examples/pictures/coffee.png").read_bytes(), "image/png")
        file_id = client.post("/files", files={"file": picture}).json()["file_id"]
    pages = [
        f"/requests/{request_id}",
        f"/models/rushes-test?from={request_id}",
        f"/compare?a={request_id}&b={request_id}",
    ]
    with browser_of(platform, owner) as own:
        for path in pages:
            assert own.get(path).status_code == 200, path
    with browser_of(platform, stranger.cookies()) as theirs:
        for path in pages:
            answer = theirs.get(path)
            assert (answer.status_code, "Ours alone" in answer.text) == (404, False), path
        for action in ("cancel", "retry", "purge"):
            answer = theirs.post(f"/requests/{request_id}/{action}", data={"confirm": request_id[:4]})
            assert answer.status_code == 404, action
        assert theirs.post("/files/delete", data={"id": file_id}).status_code == 404
        for path in ("/requests", "/requests?status=success", "/files", "/webhooks", "/usage"):
            assert not {request_id, file_id, "Ours alone"} & set(
                re.findall(r"[\w-]{36}|Ours alone", theirs.get(path).text)
            )
    with platform.client() as client:
        assert client.get(f"/requests/{request_id}").json()["status"] == "success"
        assert client.get(f"/files/{file_id}").status_code == 200
