"""A browser's visit, with everything that must not happen in one written down as it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request

VENDOR = Path(__file__).parent.parent / "browser" / "vendor"
AXE = VENDOR / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_REPORTS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} refused ${event.blockedURI} ${event.sample}`));
"""


class Visit:
    """One context with one page. What a test provokes itself it allows first: `visit.allow("status of 400")`."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self._host = urlsplit(address).netloc
        self.faults: list[str] = []
        self._allowed: list[str] = []
        context.add_init_script(_REPORTS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("dialog", self._dialog)
        context.on("request", self._request)
        self.page: Page = context.new_page()

    def admit(self, cookies: Sequence[Mapping[str, str]]) -> None:
        """From here on it is the visit of whoever holds these, as `support.tenants.cookies` gives them."""
        self.context.add_cookies(
            [{"name": each["name"], "value": each["value"], "url": each["url"]} for each in cookies]
        )

    def allow(self, *parts: str) -> None:
        """Faults that have one of these parts are what the test is about."""
        self._allowed += parts

    def wrong(self) -> list[str]:
        return [fault for fault in self.faults if not any(part in fault for part in self._allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self.faults.append(f"foreign host: {request.url}")


def axe_findings(page: Page) -> list[str]:
    """What axe calls serious or critical on a page, each with the elements it means."""
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", _RULES
    )
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the document is wider than the device. Chromium widens the viewport of phones silently."""
    return page.evaluate("() => document.documentElement.scrollWidth - screen.width")


def small_targets(page: Page, least: int = 44) -> list[str]:
    """What can be touched and is smaller than `least` pixels in a direction; links inside a line of text excepted."""
    return page.evaluate(_SMALL, least)


def broken_words(page: Page) -> list[str]:
    """Words of tables that a narrow column breaks in the middle; addresses and ids, which may be, excepted."""
    return page.evaluate(_BROKEN)


_BROKEN = """
() => [...document.querySelectorAll("main td, main th")].flatMap((cell) => {
  const broken = [], range = document.createRange();
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (text.parentElement.closest(".breakable, .mono, .hidden")) continue;
    for (const word of text.data.matchAll(/[^\\s-]+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
})
"""

_SMALL = """
(least) => [...document.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden])")]
  .map((each) => each.matches("[type=checkbox], [type=radio], [type=file]") ? each.closest("label") ?? each : each)
  .filter((each) => getComputedStyle(each).display !== "inline" && each.checkVisibility({visibilityProperty: true}))
  .map((each) => [each, each.getBoundingClientRect()])
  // What waits outside the window, like the link that skips to the content, is not there to be touched.
  .filter(([, box]) => box.width > 1 && box.right > 0 && box.bottom > 0)
  .filter(([, box]) => Math.min(box.width, box.height) < least - 0.1)
  .map(([each, box]) => `${each.tagName} "${each.textContent.trim().slice(0, 30)}" ${box.width} x ${box.height}`)
"""
