"""The pictures of the web page in the README: docs/images/page-generate.jpg and docs/images/page-requests.jpg.

    .venv/bin/rushes up --port 0 --data DATA        # in another terminal
    .venv/bin/python scripts/page_pictures.py DATA  # makes the films that the pictures show, then takes them

Needs a Chromium, and Playwright from the packages of the tests; about two minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from gmicloud import Client
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.chromium import FLAGS, chromium  # noqa: E402 - the tests know where a Chromium is

IMAGES = ROOT / "docs" / "images"
SIZE: Any = {"width": 1360, "height": 850}
MODEL = "wan2.7-t2v"
PROMPT = "An old lighthouse above the sea at dusk, gulls, slow push in"
LIST = (
    ("wan2.7-t2v", "A hot-air balloon drifts over a valley in the morning mist"),
    ("Wan-AI_Wan2.1-T2V-14B", "Neon city street at night in the rain, slow push in"),
    ("wan2.6-t2v", "Snow falling in a quiet pine forest"),
    ("wan2.7-t2v", "The Milky Way over a lake, aurora, time lapse"),
    ("Wan-AI_Wan2.1-T2V-14B", "A steam train crosses a stone viaduct"),
    ("wan2.6-t2v", "Endless desert dunes under a blazing sun"),
)
FAILING = ("wan2.7-t2v", {"prompt": "A whale breaches at sunset", "rushes_fault": {"fail": "out_of_memory", "at": 40}})
RUNNING = ("wan2.7-t2v", {"prompt": "A sailing boat in a calm bay", "rushes_fault": {"stall": 60}})


def main() -> int:
    """Fill the list, then take both pictures."""
    path = chromium()
    if len(sys.argv) != 2 or path is None:
        print(__doc__, file=sys.stderr)
        return 2
    data = Path(sys.argv[1])
    address = json.loads((data / "platform.json").read_text())["address"]
    key = (data / "api-key").read_text().strip()
    with sync_playwright() as playwright, Client(api_key=key, base_url=address) as client:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_context(base_url=address, viewport=SIZE, color_scheme="dark").new_page()
        page.set_default_timeout(120_000)
        sign_in(page, key)
        generate(page)
        fill(client)
        page.emulate_media(color_scheme="light")
        requests(page)
        browser.close()
    return 0


def sign_in(page: Page, key: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Or an API key").fill(key)
    page.get_by_role("button", name="Use this key").click()
    page.wait_for_url("**/models")


def generate(page: Page) -> None:
    """The form and its film."""
    page.goto(f"/models/{MODEL}")
    page.locator("[data-prompt]").fill(PROMPT)
    page.locator("form.controls").get_by_text("720P", exact=True).click()
    page.locator("#field-seed").fill("7")
    page.locator("rushes-form[data-state=priced]").wait_for()
    page.locator("[data-send]").click()
    page.locator("[data-runs] rushes-request[data-status=success]").wait_for()
    page.wait_for_function("() => document.querySelector('[data-runs] video').readyState === 4")
    # Chromium shows that it loads until a film has played; one second of it, and the pointer away from its controls.
    page.evaluate(
        """async () => {
          const video = document.querySelector("[data-runs] video");
          video.muted = true;
          await video.play();
          await new Promise((resolve) => {
            video.addEventListener("timeupdate", () => video.currentTime > 1 && resolve());
          });
          video.pause();
        }"""
    )
    page.locator(".head h1").hover()
    take(page, "page-generate.jpg")


def fill(client: Client) -> None:
    """Films for the list, one that failed, one that still runs."""
    for seed, (model, prompt) in enumerate(LIST):
        client.generate(model, {"prompt": prompt, "seed": seed + 1}, timeout=300)
    model, payload = FAILING
    client.wait(client.submit(model, payload))
    model, payload = RUNNING
    client.submit(model, payload)


def requests(page: Page) -> None:
    """The list, its newest request running."""
    page.goto("/requests")
    page.locator(".row[data-status=processing]").wait_for()
    page.wait_for_function("() => [...document.images].every((image) => image.complete)")
    take(page, "page-requests.jpg")


def take(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / name, type="jpeg", quality=82)
    print(f"docs/images/{name}  {(IMAGES / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
