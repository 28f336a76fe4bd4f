"""Without a mouse, with less motion, magnified, in the system's colours: everything still works and can be seen."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit, overflow

from .test_every_page import NARROW
from .test_organisation_screens import SCREENS

PAGES = ("/models?q=rushes", "/models/wan2.7-i2v", "/requests?q=FILM", "/requests/FILM", *SCREENS)
"""One row of the list: where others left a hundred, it would grow under who comes to its end."""
ZOOMED = {
    "viewport": {"width": 680, "height": 450},
    "screen": {"width": 680, "height": 450},
    "device_scale_factor": 2,
}
"""What a browser at 200 % makes of a window of 1360 x 900."""
CONTROLS = """
() => {
  const all = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, video[controls], [tabindex='0']")];
  const reachable = all.filter((each) => {
    const closed = each.closest("details:not([open])");
    const inside = closed && !each.matches("summary") ? true : closed?.parentElement?.closest("details:not([open])");
    const group = each.type === "radio" &&
      [...document.getElementsByName(each.name)].filter((one) => one.form === each.form);
    const first = group && (group.find((one) => one.checked) ?? group[0]);
    return each.tabIndex >= 0 && !each.disabled && !inside && each.checkVisibility() && (!group || first === each);
  });
  reachable.forEach((each, number) => (each.dataset.control = number));
  return reachable.map((each) => each.outerHTML.slice(0, 160));
}
"""
FOCUSED = """
() => {
  const each = document.activeElement;
  const places = [[each], [each, "::after"], [each.nextElementSibling], [each.closest("label")]];
  // Chromium marks the player's own buttons by itself, out of our sight.
  const marked = each.matches("video") || places.some(([place, part]) => {
    const style = place && getComputedStyle(place, part);
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  });
  return [each.dataset.control ?? null, marked, each.outerHTML.slice(0, 160)];
}
"""


@pytest.fixture(scope="module")
def film(platform: RunningPlatform) -> str:
    """A request that has ended, whose page changes no more."""
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "A page of controls", "seconds": 0.1, "frames": 2})
        final(client, request_id)
    return request_id


@pytest.fixture
def visit(visiting: Callable[..., Visit], owner: list[dict[str, str]]) -> Callable[..., Visit]:
    """Makes visits of the machine's owner, who sees every screen."""

    def make(**options: Any) -> Visit:
        made = visiting(cookies=False, **{"viewport": {"width": 1360, "height": 900}, **options})
        made.admit(owner)
        return made

    return make


def tab_to(page: Page, selector: str) -> None:
    """Tab on until an element has the focus, which must be seen all the way."""
    for _ in range(120):
        page.keyboard.press("Tab")
        _, marked, what = page.evaluate(FOCUSED)
        assert marked, f"no focus to be seen on {what}"
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")


def test_a_whole_generation_without_a_mouse(visit: Callable[..., Visit]) -> None:
    page = visit().page
    page.goto("/models")
    page.keyboard.press("/")
    page.keyboard.type("rushes test")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models?*q=*")
    tab_to(page, "main a[href='/models/rushes-test']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/rushes-test")
    tab_to(page, "#field-prompt")
    page.keyboard.type("By keys alone")
    tab_to(page, "#field-seconds")
    page.keyboard.press("Control+A")
    page.keyboard.type("0.5")
    tab_to(page, "[data-send]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-runs] rushes-request[data-status=success]")).to_be_visible(timeout=60_000)
    tab_to(page, "[data-runs] video")
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('[data-runs] video').paused")
    tab_to(page, "[data-runs] a[href^='/requests/']")
    page.keyboard.press("Enter")
    expect(page.locator(".prompt-title")).to_have_text("By keys alone")


EACH_RUN = ("/models/wan2.7-i2v", "/requests?q=FILM", "/requests/FILM", "/webhooks")
"""Whose controls are tabbed through in every run; the others in the long one."""
TABBED = [
    pytest.param(path, id=path.strip("/").partition("?")[0], marks=[] if path in EACH_RUN else pytest.mark.long)
    for path in PAGES
]


@pytest.mark.parametrize("path", TABBED)
def test_tab_reaches_every_control_and_the_focus_is_seen(visit: Callable[..., Visit], film: str, path: str) -> None:
    page = visit().page
    page.goto(path.replace("FILM", film))
    page.wait_for_load_state("load")
    controls: list[str] = page.evaluate(CONTROLS)
    assert len(controls) > 10
    reached: set[str] = set()
    unseen: list[str] = []
    for _ in range(len(controls) * 2 + 40):
        page.keyboard.press("Tab")
        number, marked, what = page.evaluate(FOCUSED)
        if what.startswith("<body") or (number == "0" and len(reached) > 1):
            break
        if not marked:
            unseen.append(what)
        if number is not None:
            reached.add(number)
    missed = [what for number, what in enumerate(controls) if str(number) not in reached]
    assert (missed, unseen) == ([], [])


@pytest.mark.parametrize(
    ("path", "field", "keys"),
    [
        ("/models/rushes-test", "#field-prompt", "gm/?xjkcrp ,.lfd"),
        ("/requests/FILM", "dialog#palette input", "gm/?xjkcrp ,.lfd"),
        ("/requests", "[data-search]", "gm/?xjkcrp ,.lfd"),
    ],
)
def test_single_keys_are_dead_inside_fields(
    visit: Callable[..., Visit], film: str, path: str, field: str, keys: str
) -> None:
    page = visit().page
    page.goto(path.replace("FILM", film))
    expect(page.locator("html[data-stream=open]")).to_be_attached()
    before = page.url
    if "dialog" in field:
        page.keyboard.press("Control+k")
    page.locator(field).focus()
    page.keyboard.type(keys)
    expect(page.locator(field)).to_have_value(keys)
    assert page.url == before
    expect(page.locator("dialog#help[open]")).to_have_count(0)
    expect(page.locator("[data-toasts] .toast")).to_have_count(0)
    expect(page.locator("[data-current], [data-pick]:checked, [data-pause]:checked")).to_have_count(0)


MOVING = """
() => [...document.querySelectorAll("*")].filter((each) => {
  const style = getComputedStyle(each);
  const moves = (times) => times.split(",").some((time) => parseFloat(time) > 0);
  return (style.animationName !== "none" && moves(style.animationDuration)) || moves(style.transitionDuration) ||
    style.scrollBehavior === "smooth" || each.matches("video[autoplay]");
}).length
"""


def test_less_motion_stops_transitions_and_films_that_play_by_themselves(
    visit: Callable[..., Visit], film: str
) -> None:
    page = visit(reduced_motion="no-preference").page
    page.goto("/requests")
    assert page.evaluate(MOVING), "the rest of this test would prove nothing"
    page = visit(reduced_motion="reduce").page
    moving: dict[str, int] = {}
    for path in PAGES:
        page.goto(path.replace("FILM", film))
        moving[path] = page.evaluate(MOVING)
    assert set(moving.values()) == {0}, moving


COVERED = """
() => {
  const fields = ".controls :is(textarea, select, input:not([type=radio], [type=file], [type=hidden]))";
  const hidden = [];
  for (const each of document.querySelectorAll(fields)) {
    if (!each.checkVisibility() || each.closest("details:not([open])")) continue;
    each.focus();
    const { left, right, top, bottom } = each.getBoundingClientRect();
    const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (!each.contains(seen)) hidden.push(`${each.id} under ${seen?.outerHTML.slice(0, 60)}`);
  }
  return hidden;
}
"""


@pytest.mark.parametrize("size", [pytest.param(ZOOMED, id="200 %"), pytest.param(NARROW, id="320 px")])
def test_magnified_every_screen_fits_and_no_field_hides_behind_a_bar(
    visit: Callable[..., Visit], film: str, size: dict[str, Any]
) -> None:
    page = visit(**size).page
    wide: dict[str, int] = {}
    for path in PAGES:
        page.goto(path.replace("FILM", film))
        if (pixels := overflow(page)) > 0:
            wide[path] = pixels
        if path.startswith("/models/"):
            assert page.evaluate(COVERED) == []
    assert wide == {}


STATES = (
    (".theme button[aria-pressed=true]", ".theme button[aria-pressed=false]"),
    (".segments input:checked + span", ".segments input:not(:checked) + span"),
    (".tabs input:checked + span", ".tabs input:not(:checked) + span"),
    (".top nav a[aria-current]", ".top nav a:not([aria-current])"),
)
"""What is chosen, and what could have been."""


def ground(page: Page, selector: str) -> tuple[int, ...]:
    """The colour that most of an element has, as it is painted."""
    shot = Image.open(io.BytesIO(page.locator(selector).first.screenshot())).convert("RGB")
    colours = shot.getcolors(shot.width * shot.height) or []
    return max(colours)[1]  # type: ignore[return-value]


def test_in_forced_colours_what_is_chosen_differs_from_what_is_not(visit: Callable[..., Visit]) -> None:
    page = visit(forced_colors="active").page
    page.goto("/models/wan2.7-t2v")
    assert [chosen for chosen, other in STATES if ground(page, chosen) == ground(page, other)] == []


def test_in_forced_colours_progress_and_the_focus_are_seen(visit: Callable[..., Visit]) -> None:
    page = visit(forced_colors="active").page
    page.goto("/models/wan2.7-t2v")
    page.evaluate(
        """() => {
          const bar = Object.assign(document.createElement("progress"), { max: 100, value: 50, id: "half" });
          document.querySelector("main").prepend(bar);
        }"""
    )
    bar = Image.open(io.BytesIO(page.locator("#half").screenshot())).convert("RGB")
    done, left = bar.getpixel((bar.width // 4, bar.height // 2)), bar.getpixel((bar.width * 3 // 4, bar.height // 2))
    assert done != left
    tab_to(page, "[data-send]")
