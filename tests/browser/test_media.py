"""Media on the form: judged by the card before they travel, by choice, drop and paste; a film brings its settings."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from support.platform import RunningPlatform, final, submitted
from support.visits import Visit

GIVE = """
([type, place, name, mime, content]) => {
  const data = new DataTransfer();
  const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const bytes = typeof content === "number" ? new Uint8Array(content) : decoded(content);
  data.items.add(new File([bytes], name, { type: mime }));
  const more = { bubbles: true, cancelable: true };
  const event = type === "paste" ? new ClipboardEvent("paste", { ...more, clipboardData: data })
                                 : new DragEvent(type, { ...more, dataTransfer: data });
  document.querySelector(place).dispatchEvent(event);
}
"""


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def give(page: Page, how: str, name: str, mime: str, content: bytes | int, place: str = "[data-prompt]") -> None:
    """A file dropped on a place of the page, or pasted there; a number is so many zeros."""
    sent = content if isinstance(content, int) else base64.b64encode(content).decode()
    page.evaluate(GIVE, [how, place, name, mime, sent])


def field_of(page: Page, name: str) -> Locator:
    return page.locator(f"[data-field={name}]")


@pytest.fixture
def page(visiting: Callable[..., Visit]) -> Page:
    """A laptop's page; a form with a picture and no words yet is priced with a 400."""
    visit = visiting(viewport={"width": 1360, "height": 900})
    visit.allow("status of 400")
    return visit.page


@pytest.fixture
def uploads(page: Page) -> list[str]:
    """The uploads that the page has begun."""
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.url) if request.url.endswith("/files") else None)
    return begun


def test_a_file_that_the_card_refuses_is_refused_before_it_travels(page: Page, uploads: list[str]) -> None:
    page.goto("/models/Kling-Image2Video-V2.1-Master")
    field = field_of(page, "image")
    given: dict[str, tuple[str, str, bytes | int]] = {
        "Must be image, got mp4": ("film.mp4", "video/mp4", b"film"),
        "Must be at most 10 MB, got 11.0 MB": ("big.png", "image/png", 11 * 1024 * 1024),
        "Must be at least 300 px a side, got 400x200": ("small.png", "image/png", picture(400, 200)),
        "Longer side must be at most 2.5 times the shorter, got 1200x400": ("w.png", "image/png", picture(1200, 400)),
    }
    for sentence, (name, mime, content) in given.items():
        give(page, "drop", name, mime, content, "[data-field=image] rushes-media")
        expect(field.locator("[data-error]")).to_have_text(sentence)
        expect(field.locator("input[name='p.image']")).to_have_attribute("aria-invalid", "true")
    assert uploads == []
    field.locator("input[type=file]").set_input_files(
        {"name": "good.png", "mimeType": "image/png", "buffer": picture(640, 400)}
    )
    expect(field.locator("[data-error]")).to_have_text("")
    expect(field.locator("rushes-media")).to_have_attribute("data-state", "uploaded")
    assert len(uploads) == 1
    field.get_by_role("button", name="Remove").click()
    expect(field.locator("input[name='p.image']")).to_have_value("")


def test_what_is_dropped_or_pasted_anywhere_goes_to_the_field_that_takes_it(page: Page) -> None:
    page.goto("/models/wan2.7-i2v")
    give(page, "drop", "first.png", "image/png", picture(640, 400))
    expect(field_of(page, "first_frame").locator("rushes-media")).to_have_attribute("data-state", "uploaded")
    give(page, "paste", "last.png", "image/png", picture(400, 640))
    expect(field_of(page, "last_frame").locator("rushes-media")).to_have_attribute("data-state", "uploaded")
    addresses = [field_of(page, name).locator("input:not([type=file])") for name in ("first_frame", "last_frame")]
    assert addresses[0].input_value() != addresses[1].input_value()
    give(page, "drop", "notes.txt", "text/plain", b"words")
    expect(page.locator(".toast")).to_have_text("This model takes no text.")


def test_a_film_that_was_made_here_brings_its_settings_back(
    visiting: Callable[..., Visit], platform: RunningPlatform
) -> None:
    with platform.client() as client:
        request_id = submitted(client, "rushes-test", {"prompt": "Known by its bytes", "seconds": 0.2, "frames": 3})
        film = client.get(final(client, request_id)["outcome"]["video_url"]).content
    page = visiting().page
    page.goto("/models/Veo3")
    give(page, "drop", "another.mp4", "video/mp4", film + b"\0")
    expect(page.locator(".toast")).to_contain_text("No request of yours made this film")
    give(page, "drop", "renamed.mp4", "video/mp4", film)
    page.wait_for_url("**/models/rushes-test?from=*")
    assert parse_qs(urlsplit(page.url).query) == {"from": [request_id]}
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Known by its bytes")
    expect(page.locator("#field-frames")).to_have_value("3")
    page.goto("/models/Veo3")
    page.locator("[data-settings]").set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": film})
    page.wait_for_url("**/models/rushes-test?from=*")
