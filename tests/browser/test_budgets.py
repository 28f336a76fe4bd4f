"""What the page may weigh, and that it stays small enough to be read."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import rushes.playground
from playwright.sync_api import Page, Response, Route, expect

STATIC = Path(rushes.playground.__file__).parent / "static"
OWN = [path for path in STATIC.rglob("*.js") if "vendor" not in path.parts]

PRELOAD = re.compile(r'<link rel="modulepreload" href="([^"]+)">')


def packed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def test_all_scripts_together_are_under_40_kilobytes() -> None:
    assert sum(packed(path) for path in OWN) < 40_000


def test_the_styles_are_under_12_kilobytes() -> None:
    assert packed(STATIC / "ui.css") < 12_000


def test_bind_is_under_60_lines_and_nothing_over_150() -> None:
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in OWN}
    assert lines["bind.js"] < 60
    assert {name: count for name, count in lines.items() if count > 150} == {}


def test_no_script_makes_markup_from_text() -> None:
    sinks = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setHTML")
    assert [(path.name, sink) for path in OWN for sink in sinks if sink in path.read_text("utf-8")] == []


@pytest.mark.parametrize("path", ["/models", "/models/skyreels-v4-omni", "/requests", "/files", "/usage"])
def test_no_answer_but_media_is_over_100_kilobytes(page: Page, path: str) -> None:
    heavy: dict[str, int] = {}

    def weigh(response: Response) -> None:
        size = int(response.headers.get("content-length") or 0)
        if size > 100_000 and not response.headers.get("content-type", "").startswith(("video/", "image/")):
            heavy[response.url] = size

    page.on("response", weigh)
    page.goto(path)
    page.wait_for_load_state("load")
    assert heavy == {}


def test_a_page_names_exactly_the_scripts_that_the_browser_finds_it_needs(page: Page) -> None:
    """With the names taken out of the head, the browser has to find out for itself."""
    named: set[str] = set()
    needed: set[str] = set()

    def without_names(route: Route) -> None:
        answer = route.fetch()
        named.update(PRELOAD.findall(answer.text()))
        route.fulfill(response=answer, body=PRELOAD.sub("", answer.text()))

    page.on("request", lambda request: needed.add(request.url) if request.resource_type == "script" else None)
    for path in ("/models/wan2.7-i2v", "/requests"):
        named.clear()
        needed.clear()
        page.route(f"**{path}", without_names)
        page.goto(path)
        expect(page.locator("html[data-stream=open]")).to_be_attached()
        # A worker that is still there from the page before asks for nothing.
        needed.update(name for name in named if name.endswith("/stream.js"))
        assert named == {urlsplit(url).path for url in needed}
        assert any(name.endswith("/stream.js") for name in named)


def test_what_never_changes_is_kept_and_compressed(page: Page) -> None:
    with page.expect_response("**/ui.css") as styles, page.expect_response("**/inter-latin.woff2") as font:
        page.goto("/models")
    assert "immutable" in styles.value.headers["cache-control"]
    assert styles.value.headers["content-encoding"] == "gzip"
    assert font.value.headers["content-type"] == "font/woff2"
