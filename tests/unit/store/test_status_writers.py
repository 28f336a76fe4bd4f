"""No code path but four statements, found here by reading the SQL itself, ever writes the status of a request."""

import re
from importlib.resources import files
from pathlib import Path

import rushes

WRITERS = {
    # statement: what its WHERE asks of the status that it leaves
    "claims.sql:claim": r"r\.waiting",
    "requests.sql:begin": r"status = 'dispatched'",
    "requests.sql:conclude": r"r\.status = ANY\(:from_statuses::text\[\]\)",
    "requests.sql:requeue": r"r\.status IN \('dispatched', 'processing'\)",
}
SETS_STATUS = re.compile(
    r"UPDATE\s+requests\b(?:(?!\bWHERE\b).)*?\bSET\b(?:(?!\bWHERE\b|\bFROM\b).)*?\bstatus\s*=", re.S
)


def statements() -> dict[str, str]:
    """Every statement of sql/*.sql by name, without its comments."""
    found: dict[str, str] = {}
    for entry in files("rushes.store").joinpath("sql").iterdir():
        parts = re.split(r"^-- name: (\w+)\S*\n", entry.read_text("utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            found[f"{entry.name}:{name}"] = re.sub(r"--[^\n]*", "", text)
    return found


def test_four_statements_write_a_status() -> None:
    writers = {name for name, text in statements().items() if SETS_STATUS.search(text)}
    assert writers == set(WRITERS)


def test_each_of_them_names_the_statuses_it_may_leave() -> None:
    for name, condition in WRITERS.items():
        assert re.search(condition, statements()[name]), name


def test_a_request_is_inserted_by_one_statement_and_queued() -> None:
    inserts = {name: text for name, text in statements().items() if re.search(r"INSERT INTO requests\b", text)}
    assert list(inserts) == ["requests.sql:submit"]
    assert "'queued', true" in inserts["requests.sql:submit"]


def test_python_writes_no_request_by_itself() -> None:
    source = Path(rushes.__file__).parent
    guilty = [
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if re.search(r"(UPDATE|INSERT INTO|DELETE FROM|MERGE INTO)\s+requests\b", path.read_text("utf-8"))
    ]
    assert guilty == []
