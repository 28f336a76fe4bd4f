"""Generated pages say what their sources say."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_generated_page_is_stale(reference: ModuleType) -> None:
    assert reference.stale() == [], "run scripts/reference.py"


def test_a_changed_missing_or_orphaned_page_is_stale(
    reference: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    assert set(reference.stale()) == set(reference.pages())
    for path, text in reference.pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert reference.stale() == []
    (tmp_path / "models" / "veo.md").write_text("old")
    (tmp_path / "models" / "gone.md").write_text("old")
    assert {path.name for path in reference.stale()} == {"veo.md", "gone.md"}


def test_the_page_on_cards_names_every_field_and_its_card_is_good(tmp_path: Path) -> None:
    from rushes.catalog.loader import check_file

    page = (ROOT / "docs" / "reference" / "card-format.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "example.yaml"
    path.write_text(example)
    assert check_file(path) == []
    path.write_text(example + "    nonsense: 1\n")
    (fault,) = check_file(path)
    fields = re.findall(r"[a-z_]+", fault.split("known are ")[1])
    assert [field for field in fields if f"`{field}`" not in page] == []
