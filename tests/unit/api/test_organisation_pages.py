"""Usage, balance and retention of an organisation, over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from rushes.store.database import Database
from support.api import Api, running_api

ORG = "/api/v1/organizations"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as api:
        yield api


async def charged(database: Database, org_id: UUID, model: str, key_id: str, micro: int) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO usage_rows (request_id, org_id, key_id, model, engine, seconds, run_seconds, wait_seconds,"
            " charge_micro) VALUES ($1, $2, $3, $4, 'animatic', 5, 2, 1, $5)",
            uuid4(),
            org_id,
            key_id,
            model,
            micro,
        )


async def test_usage_is_one_table_as_json_and_as_csv_with_no_formula_in_it(api: Api) -> None:
    org_id = await api.organisation("acme", balance_micro=10_000_000)
    key = await api.key(org_id)
    database = api.services.database
    for model, key_id, micro in (("wan", "k1", 100), ("wan", "k1", 200), ("=HYPERLINK(1)", "k2", 300)):
        await charged(database, org_id, model, key_id, micro)
    path = f"{ORG}/{org_id}/usage?group_by=model,key"
    table = (await api.call("GET", path, key)).json()
    rows = {(row["model"], row["key_id"]): row["charge_micro_usd"] for row in table["rows"]}
    assert rows == {("wan", "k1"): 300, ("=HYPERLINK(1)", "k2"): 300}
    assert (table["total"]["requests"], table["total"]["charge_micro_usd"]) == (3, 600)
    by_word, by_header = (
        await api.call("GET", f"{path}&format=csv", key),
        await api.call("GET", path, key, headers={"Accept": "text/csv"}),
    )
    assert by_word.content == by_header.content
    assert by_word.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(by_word.text)))
    assert {line["model"] for line in lines} == {"wan", "'=HYPERLINK(1)"}
    assert sum(int(line["charge_micro_usd"]) for line in lines) == 600
    for bad, param in (("group_by=colour", "group_by"), ("format=xls", "format"), ("since=9&until=9", "since")):
        refused = await api.call("GET", f"{ORG}/{org_id}/usage?{bad}", key)
        assert (refused.status_code, refused.json()["param"]) == (400, param)


async def test_a_balance_says_what_is_free_and_null_is_unlimited(api: Api) -> None:
    paid, free = await api.organisation("paid", balance_micro=5_000_000), await api.organisation("free")
    shown = (await api.call("GET", f"{ORG}/{paid}/balance", await api.key(paid))).json()
    assert shown == {"balance_micro_usd": 5_000_000, "held_micro_usd": 0, "free_micro_usd": 5_000_000}
    shown = (await api.call("GET", f"{ORG}/{free}/balance", await api.key(free))).json()
    assert (shown["balance_micro_usd"], shown["free_micro_usd"]) == (None, None)


async def test_an_owner_shortens_what_is_kept_and_nobody_lengthens_it(api: Api) -> None:
    org_id = await api.organisation("acme")
    path = f"{ORG}/{org_id}/retention"
    await api.person("owner@x.test", org_id)
    await api.person("member@x.test", org_id, "member")
    owner = (await api.log_in("owner@x.test"))["accessToken"]
    member = (await api.log_in("member@x.test"))["accessToken"]
    assert (await api.call("PATCH", path, member, json={"record_days": 1})).status_code == 403
    changed: dict[str, Any] = (await api.call("PATCH", path, owner, json={"artifact_days": 0.5})).json()
    assert (changed["artifact_days"], changed["own"]["artifact_days"], changed["server"]["artifact_days"]) == (
        0.5,
        0.5,
        7,
    )
    changed = (await api.call("PATCH", path, owner, json={"record_days": 30})).json()
    assert (changed["artifact_days"], changed["record_days"], changed["file_days"]) == (0.5, 30, 7)
    assert (await api.call("GET", path, await api.key(org_id))).json() == changed
    for body, param in (
        ({"artifact_days": 8}, "artifact_days"),
        ({"file_days": 0}, "file_days"),
        ({"record_days": True}, "record_days"),
        ({"record_days": "7"}, "record_days"),
        ({"days": 1}, "days"),
    ):
        refused = await api.call("PATCH", path, owner, json=body)
        assert (refused.status_code, refused.json()["param"]) == (400, param), body
    changed = (await api.call("PATCH", path, owner, json={"artifact_days": None})).json()
    assert (changed["artifact_days"], changed["own"]["artifact_days"]) == (7, None)


async def test_one_secret_replaces_another_and_the_last_one_stays(api: Api) -> None:
    org_id = await api.organisation("acme")
    path = f"{ORG}/{org_id}/webhook-secrets"
    await api.person("owner@x.test", org_id)
    owner = (await api.log_in("owner@x.test"))["accessToken"]
    old = (await api.call("POST", path, owner)).json()["id"]
    refused = await api.call("DELETE", f"{path}/{old}", owner)
    assert (refused.status_code, "make a new one first" in refused.json()["error"]) == (400, True)
    new = (await api.call("POST", path, owner)).json()["id"]
    assert (await api.call("DELETE", f"{path}/{old}", owner)).status_code == 200
    assert [row["id"] for row in (await api.call("GET", path, owner)).json()["secrets"]] == [new]
    assert (await api.call("DELETE", f"{path}/{old}", owner)).status_code == 404
