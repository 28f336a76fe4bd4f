"""YAML is read as plain data with lines, and cannot be made to explode."""

from pathlib import Path
from typing import Any

import pytest
from rushes.catalog.yaml_tree import CatalogError, read_tree


def read(tmp_path: Path, text: str | bytes) -> Any:
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_tree(path)


def test_words_that_old_yaml_reads_as_something_else_stay_words(tmp_path: Path) -> None:
    text = (
        "[16:9, 1:1, on, off, yes, No, 2026-05-04, 720P, 1_000, 0o7, .5, ~, null, true, 5, -1, 2.5, 1e3, '5', \"true\"]"
    )
    assert read(tmp_path, text).plain() == [
        "16:9", "1:1", "on", "off", "yes", "No", "2026-05-04", "720P", "1_000", "0o7", ".5",
        None, None, True, 5, -1, 2.5, 1000.0, "5", "true",
    ]  # fmt: skip


def test_every_key_and_value_knows_its_line(tmp_path: Path) -> None:
    tree = read(tmp_path, "a: 1\n# comment\nb:\n  c: 2\n  d:\n    - 3\n    - 4\n")
    assert tree.lines == {"a": 1, "b": 3}
    assert tree.mapping["b"].lines == {"c": 4, "d": 5}
    assert [item.line for item in tree.mapping["b"].mapping["d"].items] == [6, 7]


def test_anchors_and_merges_share_text(tmp_path: Path) -> None:
    tree = read(tmp_path, "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], a: 9}\n")
    assert tree.plain()["z"] == {"a": 9, "b": 2, "c": 4}


def test_a_few_lines_of_anchors_cannot_become_millions_of_values(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(CatalogError, match="has over 100000 values"):
        read(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: !!python/object/apply:os.system [true]", "not allowed"),
        ("a: !secret x", "not allowed"),
        ("a: 1\na: 2", "file.yaml:2: a is given twice"),
        ("a: &a [*a]", "levels"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"a: " + b"x" * 1_000_001, "is larger than 1000000 bytes"),
        ("z: {<<: 5}", "<< needs a mapping"),
        ("a: [1\nb: 2", "file.yaml:2: is not YAML"),
    ],
)
def test_what_is_not_plain_data_is_refused(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(CatalogError, match=reason):
        read(tmp_path, text)
