"""The page in a Chromium: when something is seen and can be used, on a free line and on a slow one; rows and memory."""

import shutil
import time
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.table import percentile, show

ROUNDS = 5
SCROLLED = 1_000
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
LINES: Mapping[str, Mapping[str, Any]] = {
    "free": {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    "400 ms, 50 kB/s": {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000},
}
PAGES = {"a form": ("/models/rushes-test", "#field-prompt"), "the list": ("/requests", ".row a.prompt")}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1e3"
NOW = "performance.now() / 1e3"


def run(address: str, cookies: Mapping[str, str], many: Mapping[str, str]) -> None:
    """Prints a line where there is no Chromium."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        print("No Chromium, so nothing is measured in one")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        _lines(browser, address, cookies)
        _rows(browser, address, {"1,000": cookies, "100,000": many})
        browser.close()


def opened(browser: Browser, address: str, cookies: Mapping[str, str]) -> Page:
    """A page of somebody who is signed in, with nothing in the browser's cache."""
    context = browser.new_context(base_url=address, viewport={"width": 1360, "height": 900})
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    return context.new_page()


def _lines(browser: Browser, address: str, cookies: Mapping[str, str]) -> None:
    rows: list[list[str]] = []
    for name, (path, usable) in PAGES.items():
        base = 0.0
        for line, conditions in LINES.items():
            seen = [_visit(opened(browser, address, cookies), path, usable, conditions) for _ in range(ROUNDS)]
            paint, use, live = (percentile([one[i] for one in seen], 50) for i in range(3))
            base = base or paint
            rows.append(
                [f"{name}, {line}", *(f"{figure:.2f} s" for figure in (paint, use, live)), f"{paint / base:.1f}x"]
            )
    head = ["page, line", "first paint", "usable", "live", "first paint against free"]
    show(f"An empty cache, medians of {ROUNDS}", head, rows, "promise: first paint under 2 s on the slow line")


def _visit(page: Page, path: str, usable: str, conditions: Mapping[str, Any]) -> tuple[float, float, float]:
    """Seconds from the click to the first paint, to what can be used without scripts, to live updates."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", dict(conditions))
    page.goto(path, wait_until="commit")
    page.locator(usable).first.wait_for()
    use: float = page.evaluate(NOW)
    page.locator("html[data-stream=open]").wait_for(state="attached", timeout=60_000)
    live: float = page.evaluate(NOW)
    paint: float = page.evaluate(PAINT)
    page.context.close()
    return paint, use, live


def _rows(browser: Browser, address: str, histories: Mapping[str, Mapping[str, str]]) -> None:
    """What the browser keeps of the first page, and of a thousand rows that were scrolled through."""
    rows: list[list[str]] = []
    for name, cookies in histories.items():
        page = opened(browser, address, cookies)
        page.goto("/requests")
        page.locator("html[data-stream=open]").wait_for(state="attached")
        rows.append([f"first page of {name}", str(page.locator(".row").count()), "", f"{heap(page) / 1e6:.1f} MB"])
        begun = time.perf_counter()
        for seen in range(99, SCROLLED, 100):
            page.locator(".row").nth(seen).wait_for(state="attached", timeout=60_000)
            page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        took = time.perf_counter() - begun
        count = str(page.locator(".row").count())
        rows.append([f"scrolled through {name}", count, f"{took:.1f} s", f"{heap(page) / 1e6:.1f} MB"])
        page.context.close()
    show("Rows in the browser", ["list", "rows", "took", "heap"], rows, "promise: 1,000 rows in 6 s, 40 MB")


def heap(page: Page) -> int:
    """Bytes of JavaScript objects that are still needed."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("Performance.enable")
    figures = devtools.send("Performance.getMetrics")["metrics"]
    return next(int(each["value"]) for each in figures if each["name"] == "JSHeapUsedSize")
