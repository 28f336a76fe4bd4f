"""T26: what people and keys are let in with reaches no log and no table."""

import json
from pathlib import Path

import asyncpg
import pytest
import structlog
from rushes.store.users import Users
from rushes.telemetry import configure
from support.api import ME, PASSWORD, Api, Q, running_api

TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


async def everything_stored(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [str(await connection.fetch(f'SELECT t::text FROM "{table[0]}" AS t')) for table in tables]
    await connection.close()
    return "\n".join(rows)


async def test_a_whole_life_of_logins_leaves_no_secret_behind(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("debug")
    try:
        async with running_api(database_url, tmp_path) as api:
            secrets, wrong = await live(api)
            stored = await everything_stored(database_url)
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.err.splitlines()]
    assert {"login_refused", "logged_in", "code_refused", "refresh_token_reused"} <= {line["event"] for line in lines}
    for secret in (*secrets, *wrong):
        assert secret not in told.err + told.out
        assert secret not in stored
    assert TOTP not in told.err


async def live(api: Api) -> tuple[list[str], list[str]]:
    """Do everything with logins and keys, right and wrong; the secrets used, and the wrong ones that were tried."""
    org_id = await api.organisation("studio")
    user_id = await api.person("ann@x.test", org_id)
    wrong = ["a-wrong-password", "gmi_awrongkeyawrongkeyawrongkey", "nobody.knows@x.test"]
    await api.call("POST", f"{ME}/auth-tokens", json={"email": "ann@x.test", "password": wrong[0]})
    await api.call("POST", f"{ME}/auth-tokens", json={"email": wrong[2], "password": wrong[0]})
    await api.call("GET", f"{Q}/models?key={wrong[1]}", wrong[1])
    tokens = await api.log_in("ann@x.test")
    again = (await api.call("PATCH", f"{ME}/sessions", json={"refreshToken": tokens["refreshToken"]})).json()
    made = await api.call("POST", f"/api/v1/organizations/{org_id}/api-keys", again["accessToken"], json={"name": "k"})
    await api.call("GET", f"{Q}/models", made.json()["key"])
    async with api.services.database.connection() as connection:
        await connection.execute("UPDATE sessions SET used_at = '{}'")
    await api.call("PATCH", f"{ME}/sessions", json={"refreshToken": tokens["refreshToken"]})
    await Users(api.services.database).set_totp(user_id, TOTP)
    first = await api.call("POST", f"{ME}/auth-tokens", json={"email": "ann@x.test", "password": PASSWORD})
    login = first.json()["authToken"]
    bad = {"type": "native", "authToken": login, "otpCode": "not-a-code"}
    await api.call("POST", f"{ME}/sessions", json=bad)
    secrets = [PASSWORD, login, made.json()["key"], *tokens.values(), *again.values()]
    return secrets, [wrong[0], wrong[1], wrong[2], "not-a-code"]


async def test_answers_that_hold_a_secret_are_kept_by_no_cache(api: Api) -> None:
    org_id = await api.organisation("studio")
    await api.person("ann@x.test", org_id)
    token = (await api.log_in("ann@x.test"))["accessToken"]
    for method, path, body in (
        ("POST", f"{ME}/auth-tokens", {"email": "ann@x.test", "password": PASSWORD}),
        ("POST", f"/api/v1/organizations/{org_id}/api-keys", {"name": "k"}),
        ("POST", f"/api/v1/organizations/{org_id}/webhook-secrets", {}),
    ):
        answer = await api.call(method, path, token, json=body)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


async def test_a_webhook_secret_is_shown_once_and_two_are_good_at_a_time(api: Api) -> None:
    org_id = await api.organisation("studio")
    await api.person("ann@x.test", org_id)
    token = (await api.log_in("ann@x.test"))["accessToken"]
    path = f"/api/v1/organizations/{org_id}/webhook-secrets"
    made = [(await api.call("POST", path, token)).json() for _ in range(3)]
    listed = (await api.call("GET", path, token)).json()["secrets"]
    assert [each["id"] for each in listed] == [made[2]["id"], made[1]["id"]]
    assert all(set(each) == {"id", "createdAt"} for each in listed)
    signing = [row["secret"] for row in await api.services.webhook_secrets.in_force(org_id)]
    assert signing == [made[2]["secret"], made[1]["secret"]]
