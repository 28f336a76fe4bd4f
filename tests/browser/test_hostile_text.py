"""T25: whatever a customer writes is text on every page, and the policy holds where the page would not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.tenants import sql
from support.visits import Visit

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(2)>',
    "</script><script>alert(3)</script>",
    "{{ 7 * 7 }} ${7*7} </textarea><img src=x onerror=alert(4)>",
    "javascript:alert(5)",
    "left \u202e thgir \u2066 bidi",
    "\U0001f3ac" * 1500,
]


@pytest.mark.parametrize("text", HOSTILE, ids=["img", "svg", "script", "template", "address", "bidi", "emoji"])
def test_a_hostile_prompt_is_text_everywhere(page: Page, platform: RunningPlatform, text: str) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": text}, metadata={"name": text[:100]})
        final(client, request_id)
    page.goto("/requests")
    expect(page.locator(f'.row[data-id="{request_id}"] a.prompt')).to_have_text(text.strip(), use_inner_text=False)
    page.goto(f"/requests/{request_id}")
    expect(page.locator("h1")).to_have_text(text.strip(), use_inner_text=False)
    page.goto(f"/models/rushes-test?from={request_id}")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(text)
    assert page.locator("img[src=x], svg[onload], [onerror]").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0


def test_a_hostile_prompt_is_text_while_it_is_live(page: Page, platform: RunningPlatform) -> None:
    page.goto("/models/rushes-test")
    page.get_by_label("Prompt", exact=True).fill(HOSTILE[0])
    page.locator("[data-send]").click()
    expect(page.locator("[data-runs] rushes-request[data-status=success]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-announce]")).to_contain_text("<img src=x")
    expect(page.locator("[data-sample=curl] code")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img[src=x]").count() == 0


def nothing_planted(page: Page) -> None:
    """No markup of theirs has become an element."""
    planted = "img[src=x], [onload], [onerror], [onmouseover], main script, a[href^='javascript' i], img[src*='evil']"
    assert page.locator(planted).count() == 0


def test_a_hostile_card_is_text_in_the_list_the_guide_the_form_and_the_code(page: Page) -> None:
    page.goto("/models?q=hostile")
    expect(page.locator(".model")).to_contain_text("<img src=x onerror=alert(20)> & co")
    nothing_planted(page)
    page.goto("/models/hostile-guide")
    expect(page.locator(".head h1")).to_have_text("<img src=x onerror=alert(20)> & co")
    page.get_by_label("<b onmouseover=alert(25)>Prompt</b>").fill("</script><script>alert(26)</script>")
    expect(page.locator("[data-sample=curl] code")).to_contain_text("</script><script>alert(26)</script>")
    page.locator(".guide summary").click()
    guide = page.locator(".guide .prose")
    expect(guide).to_contain_text("<img src=x onerror=alert(22)>")
    expect(guide).to_contain_text("<script>alert(23)</script>")
    expect(guide.get_by_role("link", name="an honest link")).to_have_attribute("rel", "nofollow noopener noreferrer")
    expect(guide.get_by_role("link", name="a link", exact=True)).to_have_count(0)
    nothing_planted(page)


def test_the_name_of_a_hostile_file_is_shown_as_text_or_not_at_all(
    visiting: Callable[..., Visit], owner: list[dict[str, str]]
) -> None:
    visit = visiting(cookies=False)
    visit.admit(owner)
    page = visit.page
    name = '"><img src=x onerror=alert(30)>.png'
    picture = Path("examples/pictures/coffee.png").read_bytes()
    page.goto("/models/wan2.7-i2v")
    field = page.locator("[data-field=first_frame]")
    upload = {"name": name, "mimeType": "image/png", "buffer": picture}
    field.locator("input[type=file]").set_input_files(upload)  # type: ignore[arg-type]
    expect(field.locator("rushes-media")).to_have_attribute("data-state", "uploaded")
    assert field.locator(".preview img").get_attribute("alt") == name
    nothing_planted(page)
    page.goto("/files")
    broken = {"name": name, "mimeType": "image/png", "buffer": b"no picture"}
    visit.allow("status of 400")
    page.locator("rushes-drop input[type=file]").set_input_files(broken)  # type: ignore[arg-type]
    expect(page.locator(".uploads .error")).to_contain_text(name)
    nothing_planted(page)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(31)>", '"><svg onload=alert(32)>'])
def test_a_hostile_key_name_is_text(visiting: Callable[..., Visit], owner: list[dict[str, str]], name: str) -> None:
    visit = visiting(cookies=False)
    visit.admit(owner)
    page = visit.page
    page.goto("/keys")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make", exact=True).click()
    row = page.locator("tr", has_text=name)
    expect(row).to_have_count(1)
    nothing_planted(page)
    row.get_by_role("link", name="Revoke").click()
    expect(page.locator("#revoke-title")).to_have_text(f"Revoke {name}?")
    nothing_planted(page)


def test_a_key_name_that_turns_the_line_around_is_refused(
    visiting: Callable[..., Visit], owner: list[dict[str, str]]
) -> None:
    visit = visiting(cookies=False)
    visit.admit(owner)
    visit.allow("status of 400")
    visit.page.goto("/keys")
    visit.page.get_by_label("Name").fill("left \u202e thgir")
    visit.page.get_by_role("button", name="Make", exact=True).click()
    expect(visit.page.get_by_role("alert")).to_contain_text("name")
    expect(visit.page.locator("#new-key")).to_have_count(0)


def with_error(platform: RunningPlatform, request_id: str, error: str) -> str:
    """A copy of a failed request with an engine's words, which no engine of ours would choose."""
    copy = """
        INSERT INTO requests SELECT copy.* FROM requests original, LATERAL jsonb_populate_record(original,
            jsonb_build_object('request_id', gen_random_uuid(), 'error', $2::text)) copy
         WHERE original.request_id = $1 RETURNING request_id
    """
    return str(sql(platform, copy, UUID(request_id), error)[0]["request_id"])


def test_hostile_metadata_errors_and_titles_are_text(page: Page, platform: RunningPlatform) -> None:
    error = "</p><img src=x onerror=alert(40)> \u202e"
    with platform.client() as client:
        request_id = submitted(
            client,
            "rushes-test",
            {"prompt": "</title><script>alert(41)</script>", "fail_at": 0.1, "seconds": 0.1},
            metadata={"<svg onload=alert(42)>": '"><img src=x onerror=alert(43)>'},
        )
        assert final(client, request_id)["status"] == "failed"
    request_id = with_error(platform, request_id, error)
    page.goto(f"/requests/{request_id}")
    expect(page.locator(".stage")).to_contain_text("<img src=x onerror=alert(40)>")
    expect(page.locator(".facts-card")).to_contain_text("<svg onload=alert(42)>")
    expect(page).to_have_title("Failed · rushes-test · rushes")
    nothing_planted(page)
    page.goto("/requests?q=" + quote("</title><img src=x onerror=alert(44)>"))
    expect(page).to_have_title("Requests · rushes")
    nothing_planted(page)
    page.goto("/requests?status=failed")
    expect(page.locator(f'.row[data-id="{request_id}"]')).to_contain_text("<img src=x onerror=alert(40)>")
    nothing_planted(page)


def test_no_cell_of_the_usage_file_begins_a_formula(platform: RunningPlatform, signed_in: list[dict[str, str]]) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "=1+1", "seconds": 0.1, "frames": 2})
        final(client, request_id)
    starts = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"]
    change = "UPDATE usage_rows SET model = $2 WHERE request_id = $1"
    cookies = {cookie["name"]: cookie["value"] for cookie in signed_in}
    try:
        for model in starts:
            sql(platform, change, UUID(request_id), model)
            text = httpx2.get(f"{platform.address}/usage.csv", cookies=cookies, trust_env=False).text
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert any(model.strip() in cell for cell in cells), model
            assert [cell for cell in cells if cell[:1] in set("=+-@\t\r")] == []
    finally:
        sql(platform, change, UUID(request_id), "rushes-test")


def test_a_bad_id_is_not_found_and_not_echoed_as_markup(visiting: Callable[..., Visit]) -> None:
    visit = visiting()
    visit.allow("status of 404")
    visit.page.goto("/requests/%3Cimg%20src=x%20onerror=alert(1)%3E")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Nothing is here")
    visit.page.goto("/models/%22%3E%3Csvg%20onload=alert(1)%3E")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Nothing is here")


def test_the_policy_refuses_what_a_hole_would_let_in(visiting: Callable[..., Visit]) -> None:
    visit = visiting()
    visit.allow(
        "policy:", "violates the following", "requires 'Trusted", "Refused to", "foreign host", "This document requires"
    )
    page = visit.page
    page.goto("/models")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          try { script.textContent = "window.broken = 1"; document.body.append(script); } catch {}
          try { document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.broken = 2'>"); } catch {}
          const styled = document.createElement("p");
          styled.setAttribute("style", "color: red");
          document.body.append(styled);
          window.styled = styled.style.color;
          const picture = document.createElement("img");
          picture.src = "http://127.0.0.2:9/pixel.png";
          document.body.append(picture);
        }"""
    )
    assert page.evaluate("window.broken") is None
    assert (
        page.evaluate("getComputedStyle(document.querySelector('main ~ p[style], body > p')).color") != "rgb(255, 0, 0)"
    )
    assert any("img-src" in fault for fault in visit.faults)


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types rushes"
)


KINDS = ("/models", "/models/Veo3", "/requests", "/requests/no", "/sign-in", "/models/no", "/files", "/keys", "/usage")


@pytest.mark.parametrize("path", [*KINDS, "/webhooks", "/webhooks/deliveries/no", "/operate"])
def test_every_kind_of_page_has_the_whole_policy(
    platform: RunningPlatform, signed_in: list[dict[str, str]], path: str
) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in signed_in}
    answer = httpx2.get(platform.address + path, cookies=cookies, trust_env=False)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "style=" not in answer.text.replace("data-payload-style", "")
    assert "<script>" not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/theme", "/models/rushes-test", "/requests/x/cancel"])
def test_a_form_of_another_site_does_nothing(
    platform: RunningPlatform, signed_in: list[dict[str, str]], path: str, origin: str
) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in signed_in}
    data = {"key": platform.key, "p.prompt": "Forged", "theme": "dark"}
    for headers in ({"Origin": origin}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = httpx2.post(platform.address + path, data=data, cookies=cookies, headers=headers, trust_env=False)
        assert answer.status_code == 403, (path, headers)
        assert "set-cookie" not in answer.headers


def test_no_page_leads_to_another_host_after_signing_in(platform: RunningPlatform) -> None:
    for wanted in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/ok\r\nX-Bad: 1",
    ):
        answer = httpx2.post(f"{platform.address}/sign-in", data={"key": platform.key, "next": wanted}, trust_env=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/", wanted
