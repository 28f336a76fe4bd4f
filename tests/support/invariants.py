"""The invariants of tests/crash/invariants.sql, and the artifacts behind every outcome."""

import asyncio
import hashlib
import re
from pathlib import Path

import asyncpg

SQL = Path(__file__).parents[1] / "crash" / "invariants.sql"


def statements() -> dict[str, str]:
    """Every invariant by name."""
    parts = re.split(r"^-- name: (\w+)\n", SQL.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def check_invariants(database_url: str, objects: Path | None = None, *, max_tries: int = 3) -> None:
    """Raises AssertionError with the name and rows of every invariant that does not hold."""
    broken = asyncio.run(broken_invariants(database_url, objects, max_tries=max_tries))
    assert not broken, broken


async def broken_invariants(
    database_url: str, objects: Path | None = None, *, max_tries: int = 3
) -> dict[str, list[str]]:
    """The name and first rows of every invariant that does not hold."""
    connection = await asyncpg.connect(database_url, server_settings={"rushes.max_tries": str(max_tries)})
    try:
        broken: dict[str, list[str]] = {}
        for name, statement in statements().items():
            rows = await connection.fetch(statement)
            if rows:
                broken[name] = [str(dict(row)) for row in rows[:5]]
        if objects is not None:
            rows = await connection.fetch("SELECT path, size_bytes, sha256 FROM artifacts WHERE deleted_at IS NULL")
            wrong = [
                row["path"] for row in rows if not _is_whole(objects / row["path"], row["size_bytes"], row["sha256"])
            ]
            if wrong:
                broken["artifacts_are_whole"] = wrong[:5]
        return broken
    finally:
        await connection.close()


def _is_whole(path: Path, size: int, sha256: str) -> bool:
    data = path.read_bytes() if path.is_file() else b""
    return len(data) == size and hashlib.sha256(data).hexdigest() == sha256
