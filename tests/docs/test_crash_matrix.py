"""The crash matrix names, for every row and every fault, tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/crash-matrix.md").read_text("utf-8")
TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


def test_every_test_named_in_the_matrix_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 40
    assert [name for name in named if f"def {name}(" not in TESTS] == []


def test_every_row_names_a_test_but_the_one_that_says_why_not() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    without = [row[1].strip() for row in rows if not re.search(r"`test_\w+`|the same two", row[-2])]
    assert without == ["#", "19", "fault"]
    assert [row[1].strip() for row in rows if row[1].strip().isdigit()] == [str(number) for number in range(1, 20)]
