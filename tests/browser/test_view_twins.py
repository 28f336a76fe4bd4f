"""view.py and view.js, code.py and code.js, forms.py and fields.js say the same of the same things."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from rushes.playground import code, filters
from rushes.playground.view import request_view

NOW = 1_795_200_000
PROMPT = 'It\'s a "quiet" harbour \\ at dawn\n\u2028 \U0001f3ac'
PAYLOAD = {"prompt": PROMPT, "duration": 5, "cfg": 0.5, "on": True, "no": None}
NO_PROMPT = {"image": "https://x/y.png", "style": "noir"}
NO_WORDS = {"image": "data:image/png;base64,"}
BASE: dict[str, Any] = {
    "request_id": "820521c3-1ba8-44ce-b7e8-82820ee77111",
    "model": "Wan-AI_Wan2.1 T2V/14B (new)!",
    "status": "queued",
    "payload": PAYLOAD,
    "created_at": NOW - 61,
}
OUTCOME = {
    "video_url": "http://other.name:8000/artifacts/a/video.mp4?expires=1&signature=x",
    "thumbnail_image_url": "https://store.example/thumbnail.jpg?x=1",
}
RECORDS: dict[str, dict[str, Any]] = {
    "just submitted": BASE,
    "next in line": {**BASE, "queue_position": 0, "eta_seconds": 3700, "quote_micro_usd": 1_234_567_890_000},
    "behind others": {**BASE, "queue_position": 12, "eta_seconds": 61, "quote_micro_usd": 70_000},
    "dispatched": {**BASE, "status": "dispatched", "attempt": 1, "engine": "diffusers"},
    "starting": {**BASE, "status": "processing", "attempt": 1, "started_at": NOW - 30},
    "generating": {
        **BASE, "status": "processing", "attempt": 2, "started_at": NOW - 30, "progress": 42, "stage": "generating",
        "engine": "animatic",
    },
    "done": {
        **BASE, "status": "success", "started_at": NOW - 50, "finished_at": NOW - 10, "charge_micro_usd": 152_000,
        "outcome": OUTCOME, "expires_at": NOW + 90_000, "seed": 0, "engine": "animatic",
    },
    "about to expire": {**BASE, "status": "success", "finished_at": NOW, "outcome": OUTCOME, "expires_at": NOW + 5000},
    "expired": {**BASE, "status": "success", "finished_at": NOW, "outcome": OUTCOME, "expires_at": NOW - 5},
    "purged": {**BASE, "status": "success", "finished_at": NOW, "payload": {}, "outcome": {}, "charge_micro_usd": 1},
    "failed": {
        **BASE, "status": "failed", "error": "the engine ran out of memory", "error_code": "out_of_memory",
        "retryable": True, "finished_at": NOW - 7200, "created_at": NOW - 200_000, "charge_micro_usd": 0,
        "outcome": {"error": "the engine ran out of memory"},
    },
    "cancelled": {**BASE, "status": "cancelled", "finished_at": NOW - 3, "created_at": NOW - 3, "payload": NO_PROMPT},
    "another error": {**BASE, "status": "failed", "error_code": "of tomorrow", "payload": NO_WORDS},
}  # fmt: skip


@pytest.fixture
def module(page: Page) -> Page:
    page.goto("/models")
    return page


def imported(page: Page, name: str) -> str:
    """The address of one of the page's modules."""
    main = page.locator("script[src$='/main.js']").get_attribute("src") or ""
    return main.replace("main.js", name)


def test_a_record_reads_the_same_from_the_server_and_from_the_script(module: Page) -> None:
    script = (
        "async ([address, records, now]) => { const { requestView } = await import(address);"
        "return Object.fromEntries(Object.entries(records).map(([name, r]) => [name, requestView(r, now)])); }"
    )
    live = module.evaluate(script, [imported(module, "view.js"), RECORDS, NOW])
    assert live == {name: request_view(record, NOW) for name, record in RECORDS.items()}


@pytest.mark.parametrize("micro", [0, 1, 70_000, 152_000, 1_000_000, 999_999, 12_345_678_900_000, -70_000])
def test_money_is_written_alike(module: Page, micro: int) -> None:
    script = "async ([address, micro]) => (await import(address)).money(micro)"
    assert module.evaluate(script, [imported(module, "words.js"), micro]) == filters.FILTERS["money"](micro)


def test_every_style_of_code_writes_a_payload_alike(module: Page) -> None:
    payload = {**PAYLOAD, "list": [1, "two", None], "nested": {"deep": {"er": False}, "empty": {}}, "big": 2147483647}
    script = (
        "async ([address, payload]) => { const { WRITERS } = await import(address);"
        "return Object.fromEntries(Object.entries(WRITERS).map(([name, write]) => [name, write(payload)])); }"
    )
    live = module.evaluate(script, [imported(module, "elements/code.js"), payload])
    assert live == {name: write(payload) for name, write in code.WRITERS.items()}


@pytest.mark.parametrize("model", ["wan2.7-i2v", "Veo3", "skyreels-v4-omni", "Kling-Image2Video-V2.1-Master"])
def test_a_form_filled_from_a_request_is_read_as_the_same_payload(page: Page, model: str) -> None:
    page.goto(f"/models/{model}?p.prompt=Kept+words")
    script = "async (address) => (await import(address)).readForm(document.querySelector('rushes-form form')).payload"
    assert page.evaluate(script, imported(page, "fields.js")) == {"prompt": "Kept words"}
