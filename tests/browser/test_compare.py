"""Two requests beside each other: chosen in the list, under one play head, by keys, and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit, axe_findings, broken_words, overflow, small_targets

from .test_every_page import LAPTOP, PHONE, picture

TOGETHER = """
() => { const [a, b] = document.querySelectorAll("video");
        return !a.seeking && !b.seeking && Math.abs(a.currentTime - b.currentTime) < 0.03 && a.currentTime; }
"""


@pytest.fixture(scope="module")
def twins(platform: RunningPlatform) -> list[str]:
    """Two films that differ in prompt and seed, and one that failed."""
    with platform.client() as client:
        same = {"seconds": 0.5}
        ids = [
            submitted(client, "rushes-test", {"prompt": "Twin in green", "seed": 1, **same}),
            submitted(client, "rushes-test", {"prompt": "Twin in blue", "seed": 2, **same}),
            submitted(client, "rushes-test", {"prompt": "Twin that fell", "rushes_fault": {"fail": "timeout"}}),
        ]
        for request_id in ids:
            final(client, request_id)
    return ids


def address(twins: list[str]) -> str:
    return f"/compare?a={twins[0]}&b={twins[1]}"


def differing(page: Page) -> dict[str, list[str]]:
    rows = page.locator(".differ tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def test_exactly_two_that_are_selected_are_compared(page: Page, twins: list[str]) -> None:
    page.goto("/requests?q=twin")
    compare = page.get_by_role("link", name="Compare")
    for number, request_id in enumerate((twins[2], twins[1], twins[0]), 1):
        page.locator(f"[data-pick][value='{request_id}']").check()
        expect(page.locator("[data-count]")).to_have_text(f"{number} selected")
        expect(compare).to_be_visible(visible=number == 2)
    page.locator(f"[data-pick][value='{twins[2]}']").uncheck()
    compare.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Side by side")
    found = differing(page)
    assert sorted(found["prompt"]) == ["Twin in blue", "Twin in green"]
    assert sorted(found["seed"]) == ["1", "2"]
    assert not {"width", "seconds", "Model", "Engine"} & set(found)


def test_two_films_play_stop_step_and_are_wiped_by_keys(page: Page, twins: list[str]) -> None:
    page.goto(address(twins))
    films = page.locator("rushes-twins")
    expect(films).to_have_attribute("data-state", "paused")
    # Films without an end play until they are told to stop, however slow the machine is.
    page.locator("video").evaluate_all("(films) => films.forEach((film) => (film.loop = true))")
    page.keyboard.press("Space")
    expect(films).to_have_attribute("data-state", "playing")
    page.keyboard.press("Space")
    expect(films).to_have_attribute("data-state", "paused")
    head = page.get_by_label("Play head")
    head.focus()
    page.keyboard.press("End")
    end = page.wait_for_function(TOGETHER).json_value()
    page.locator("main").focus()
    page.keyboard.press(",")
    page.wait_for_function(f"() => {{ const at = ({TOGETHER})(); return at && at < {end}; }}")
    assert page.locator("video").evaluate_all("(films) => films.map((film) => film.paused)") == [True, True]
    page.get_by_label("Wipe", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_label("A to B").focus()
    page.keyboard.press("Home")
    expect(page.locator("figure:last-child .screen")).to_have_css("clip-path", "inset(0px 0px 0px 0%)")
    page.keyboard.press("End")
    expect(page.locator("figure:last-child .screen")).to_have_css("clip-path", "inset(0px 0px 0px 100%)")


def test_without_scripts_it_is_two_players_and_the_table(visiting: Callable[..., Visit], twins: list[str]) -> None:
    page = visiting(java_script_enabled=False).page
    page.goto(address(twins))
    expect(page.locator("video[controls]")).to_have_count(2)
    expect(page.get_by_label("Play head")).to_be_hidden()
    assert set(differing(page)) >= {"prompt", "seed"}


def test_one_without_a_film_is_said_so_and_an_address_that_names_one_only_is_refused(
    visiting: Callable[..., Visit], twins: list[str]
) -> None:
    visit = visiting()
    visit.allow("status of 400", "status of 404")
    page = visit.page
    page.goto(f"/compare?a={twins[0]}&b={twins[2]}")
    expect(page.get_by_text("No film: Failed")).to_be_visible()
    expect(page.get_by_label("Play head")).to_have_count(0)
    page.goto(f"/compare?a={twins[0]}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invalid b")
    page.goto(f"/compare?a={twins[0]}&b=../keys")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is here")


@pytest.mark.parametrize(
    ("theme", "device"),
    [
        pytest.param("light", LAPTOP, id="light laptop", marks=pytest.mark.long),
        pytest.param("dark", PHONE, id="dark phone"),
    ],
)
def test_the_page_of_two_is_accessible_and_fits(
    visiting: Callable[..., Visit], twins: list[str], theme: str, device: dict[str, Any]
) -> None:
    visit = visiting(color_scheme=theme, **device)
    visit.page.goto(address(twins))
    picture(visit, f"compare {theme} {device['viewport']['width']}")
    visit.page.get_by_label("Wipe", exact=True).check()
    visit.page.wait_for_function(TOGETHER.replace("&& a.currentTime", "&& a.readyState > 1 && b.readyState > 1"))
    # Not under the bar at the top, which would hide parts of what is measured.
    visit.page.evaluate("scrollTo(0, 0)")
    picture(visit, f"compare wipe {theme} {device['viewport']['width']}")
    assert axe_findings(visit.page) == []
    assert broken_words(visit.page) == []
    assert overflow(visit.page) <= 0
    if device is PHONE:
        assert small_targets(visit.page) == []
