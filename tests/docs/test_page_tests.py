"""The table of the page's tests names, for every group, tests that exist in tests/browser."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/page-tests.md").read_text("utf-8")
TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests/browser").glob("test_*.py"))
ROWS = [line.split("|") for line in PAGE.splitlines() if re.match(r"\| \d", line)]


def test_every_test_named_for_the_page_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 50
    assert [name for name in named if f"def {name}(" not in TESTS] == []


def test_each_of_the_fourteen_groups_names_its_tests() -> None:
    assert [int(row[1]) for row in ROWS] == list(range(1, 15))
    assert [row[1] for row in ROWS if not re.search(r"`test_\w+`", row[-2])] == []
