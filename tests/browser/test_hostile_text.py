"""T25: whatever a customer writes is text on every page, and the policy holds where the page would not."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
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


@pytest.mark.parametrize("path", ["/models", "/models/Veo3", "/requests", "/requests/no", "/sign-in", "/models/no"])
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
