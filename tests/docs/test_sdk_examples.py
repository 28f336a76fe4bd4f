"""Every Python block of the SDK's pages runs, page by page, against a real platform."""

from __future__ import annotations

import inspect
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from gmicloud.local import LocalServer

ROOT = Path(__file__).parents[2]
PAGES = [
    "tutorial/quick-start.md",
    *(f"how-to/{name}.md" for name in ("wait", "uploads", "async", "batches", "errors", "webhooks", "testing")),
]


def blocks(page: str) -> str:
    """The page's Python blocks as one program whose line numbers are those of the page."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    lines = [""] * text.count("\n")
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        start = text.count("\n", 0, block.start(1))
        code = block.group(1).splitlines()
        lines[start : start + len(code)] = code
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(
    gmicloud_server: LocalServer, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "examples" / "pictures" / "coffee.png", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GMI_BASE_URL", gmicloud_server.base_url)
    monkeypatch.setenv("GMI_API_KEY", gmicloud_server.api_key)
    program = blocks(page)
    assert program.strip(), page
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(program, str(ROOT / "docs" / page), "exec"), names)
    for name, value in list(names.items()):
        if name.startswith("test_"):
            assert list(inspect.signature(value).parameters) == ["gmicloud_server"]
            value(gmicloud_server)


def test_every_exception_is_on_the_errors_page() -> None:
    from gmicloud import errors

    page = (ROOT / "docs" / "how-to" / "errors.md").read_text("utf-8")
    bases = {"GmiError", "APIStatusError", "RequestEndedError"}
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, errors.GmiError) and name not in bases:
            assert f"`{name}`" in page, name
