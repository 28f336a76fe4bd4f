"""T36: no text of a caller becomes SQL: quotes, comments and patterns find nothing and break nothing."""

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import rushes
from gmicloud.local import LocalServer
from rushes.api.openapi import described
from rushes.api.routes import KEY_PREFIX, ROUTES

HOSTILE = [
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "x' OR '1'='1",
    "x'; DROP TABLE requests; --",
    "x/*",
    "--",
    "%",
    "_%",
    "$1",
    ":org_id",
    "${7*7}",
    "1 UNION SELECT secret FROM webhook_secrets",
    "'||pg_sleep(5)||'",
    "\u02bc OR 1=1",
    "{}",
    "{0.__class__}",
    "1e309",
    "\ud7ff\ufffe",
]
READS = [route for route in ROUTES if route.method == "GET" and route.path.startswith(KEY_PREFIX)]
NEEDLES = ("syntax error", "asyncpg", "PostgreSQL", "SELECT", "webhook_secrets FROM")


@pytest.fixture
def client(gmicloud_server: LocalServer):
    """A client of an organisation of its own, whose lists hold nothing of other tests."""
    organisation = f"quiet {uuid.uuid4()}"
    _rushes("orgs", "create", organisation, data=gmicloud_server.data)
    key = _rushes("keys", "create", "--name", "reader", "--org", organisation, data=gmicloud_server.data)["key"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=gmicloud_server.base_url, headers=headers, timeout=60) as client:
        yield client


def _rushes(*words: str, data: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "rushes", *words, "--json", "--data", str(data)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def request_id(client: httpx2.Client) -> str:
    body = {"model": "rushes-test", "payload": {"prompt": "one of mine", "seconds": 0.1, "frames": 2}}
    made = client.post(f"{KEY_PREFIX}/requests?wait=30", json=body)
    return made.json()["request_id"]


@pytest.mark.parametrize("route", READS, ids=lambda route: route.operation)
def test_hostile_texts_in_every_query_parameter_find_and_break_nothing(
    client: httpx2.Client, request_id: str, route: object
) -> None:
    path = re.sub(r"\{request_id\}", request_id, route.path)  # type: ignore[attr-defined]
    path = re.sub(r"\{[^}]+\}", "x", path)
    before = client.get(f"{KEY_PREFIX}/requests").json()["total"]
    for name in described(route.operation).query:  # type: ignore[attr-defined]
        for text in HOSTILE:
            if name == "wait":
                continue
            answer = client.get(path, params={name: text})
            assert answer.status_code in (200, 400, 404), (name, text, answer.text)
            assert not any(needle in answer.text for needle in NEEDLES)
            if answer.status_code == 200 and "requests" in answer.json() and name in ("model_id", "q", "id"):
                assert answer.json()["total"] == 0, (name, text)
    assert client.get(f"{KEY_PREFIX}/requests").json()["total"] >= before > 0


def test_hostile_texts_in_paths_and_bodies_find_and_break_nothing(client: httpx2.Client, request_id: str) -> None:
    for text in HOSTILE:
        part = quote(text, safe="")
        for path in (
            f"models/{part}",
            f"requests/{part}",
            f"files/{part}",
            f"requests/{request_id}/events?after={part}",
        ):
            assert client.get(f"{KEY_PREFIX}/{path}").status_code in (200, 404)
        resend = client.post(f"{KEY_PREFIX}/requests/{request_id}/deliveries/{part}/resend")
        assert resend.status_code == 404
        bulk = {"action": "purge", "filter": {"q": text, "model_id": text, "id": "0"}, "expect": 0}
        assert client.post(f"{KEY_PREFIX}/requests/bulk", json=bulk).json()["matched"] == 0
        key = {"Idempotency-Key": text} if text.isascii() and " " not in text else {}
        body = {
            "model": "rushes-test",
            "payload": {"prompt": text, "seconds": 0.1, "frames": 2},
            "metadata": {text: text},
        }
        made = client.post(f"{KEY_PREFIX}/requests", json=body, headers=key)
        assert made.status_code == 200, made.text
        record = client.get(f"{KEY_PREFIX}/requests/{made.json()['request_id']}").json()
        assert (record["payload"]["prompt"], record["metadata"]) == (text, {text: text})
        client.delete(f"{KEY_PREFIX}/requests/{made.json()['request_id']}")


def test_a_search_for_words_is_for_these_words_and_not_for_a_pattern(client: httpx2.Client, request_id: str) -> None:
    found = client.get(f"{KEY_PREFIX}/requests", params={"q": "ONE OF MINE"}).json()["requests"]
    assert request_id in [record["request_id"] for record in found]
    for pattern in ("on%mines", "o_e_of", "m.ne", ".*", "%", "'", "mine:*&zebra", "!zebra"):
        assert client.get(f"{KEY_PREFIX}/requests", params={"q": pattern}).json()["total"] == 0


def test_no_statement_is_put_together_from_text() -> None:
    source = Path(rushes.__file__).parent
    put_together = re.compile(r"""\.(execute|fetch|fetchval|fetchrow)\(\s*(f["']|[^)"']*["'] *%|[^)]*\.format\()""")
    for file in (source / "store").rglob("*.py"):
        assert not put_together.search(file.read_text("utf-8")), file
    for file in (source / "store" / "sql").glob("*.sql"):
        assert "EXECUTE" not in file.read_text("utf-8"), file
