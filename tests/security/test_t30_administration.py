"""T30: nobody can get into a fresh installation but its operator."""

import asyncpg
from support.api import ME, Api

COMMON = ("admin", "password", "rushes", "changeme", "12345678", "")


async def test_a_fresh_installation_has_no_people_and_no_default_password(api: Api, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM users") == 0
    assert await connection.fetchval("SELECT count(*) FROM api_keys") == 0
    await connection.close()
    for password in COMMON:
        body = {"email": "admin@localhost", "password": password}
        answer = await api.call("POST", f"{ME}/auth-tokens", json=body)
        assert answer.status_code == 400


async def test_nobody_becomes_a_person_over_the_api(api: Api) -> None:
    """Only the operator's command line makes people; there is no sign-up to attack."""
    for path in ("/api/v1/me", "/api/v1/users", "/api/v1/me/users", "/api/v1/organizations"):
        answer = await api.call("POST", path, json={"email": "a@x.test", "password": "a long enough password"})
        assert answer.status_code in (404, 405)


async def test_ordered_failures_are_an_unknown_key_unless_the_operator_allows_them(api: Api) -> None:
    key = await api.key(await api.organisation("studio"))
    body = {"model": "rushes-test", "payload": {"prompt": "x", "rushes_fault": {"http": 503}}}
    answer = await api.call("POST", "/api/v1/apikey/requests", key, json=body)
    assert answer.status_code == 200
    assert "rushes_fault" in " ".join(answer.json()["warnings"])
