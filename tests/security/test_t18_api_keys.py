"""T18: API keys at rest and in use."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from rushes.accounts.keyring import CACHE_SECONDS, Keyring
from rushes.accounts.keys import NewKey, digest, is_same, key_id_of, new_key
from rushes.store.accounts import KeyRow
from rushes.store.users import Users
from support.api import Api, Q, running_api


async def dump(database_url: str) -> str:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [str(await connection.fetch(f'SELECT t::text FROM "{table[0]}" AS t')) for table in tables]
    await connection.close()
    return "\n".join(rows)


async def test_a_dump_of_the_database_holds_no_key(api: Api, database_url: str) -> None:
    key = await api.key(await api.organisation("studio"))
    assert (await api.call("GET", f"{Q}/models", key)).status_code == 200
    text = await dump(database_url)
    assert key[4:12] in text
    assert key not in text
    assert key[12:] not in text
    assert digest(key).hex() in text


def test_a_key_shows_its_secret_nowhere_but_in_itself() -> None:
    key = new_key()
    assert key.key not in repr(key)
    assert len({new_key().key for _ in range(100)}) == 100


async def test_both_schemes_are_taken_in_any_case(api: Api) -> None:
    key = await api.key(await api.organisation("studio"))
    for scheme in ("Bearer", "bearer", "BEARER", "Key", "key"):
        answer = await api.call("GET", f"{Q}/models", headers={"Authorization": f"{scheme}  {key} "})
        assert answer.status_code == 200, scheme


async def test_a_malformed_header_is_no_credential(api: Api) -> None:
    key = await api.key(await api.organisation("studio"))
    for header in ("", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer x{}", "Bearer {0} {0}"):
        answer = await api.call("GET", f"{Q}/models", headers={"Authorization": header.format(key)})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), header


async def test_a_key_in_the_address_is_taken_only_where_the_operator_allows_it(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    key = await api.key(await api.organisation("studio"))
    assert (await api.call("GET", f"{Q}/models?key={key}")).status_code == 401
    async with running_api(database_url, tmp_path, key_in_query=True) as lenient:
        assert (await lenient.call("GET", f"{Q}/models?key={key}")).status_code == 200


async def test_a_revoked_key_stops_at_once_in_the_process_that_heard_of_it(api: Api) -> None:
    org_id = await api.organisation("studio")
    await api.person("ann@x.test", org_id)
    token = (await api.log_in("ann@x.test"))["accessToken"]
    made = (await api.call("POST", f"/api/v1/organizations/{org_id}/api-keys", token, json={"name": "k"})).json()
    assert (await api.call("GET", f"{Q}/models", made["key"])).status_code == 200
    gone = await api.call("DELETE", f"/api/v1/organizations/{org_id}/api-keys/{made['id']}", token)
    assert gone.status_code == 200
    assert (await api.call("GET", f"{Q}/models", made["key"])).status_code == 401


async def test_a_revoked_key_stops_within_a_second_in_every_other_process(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    key = await api.key(await api.organisation("studio"))
    async with running_api(database_url, tmp_path / "other") as other:
        assert (await other.call("GET", f"{Q}/models", key)).status_code == 200
        await api.services.accounts.revoke_key(key[4:12])
        begun = time.monotonic()
        while (await other.call("GET", f"{Q}/models", key)).status_code == 200:
            assert time.monotonic() - begun < 1.5  # a second, and half of one for a busy machine


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_revoked_key_stops_within_a_second_while_notifications_are_lost(api: Api) -> None:
    # A keyring that hears nothing: another process whose LISTEN connection is down.
    clock = Clock()
    deaf = Keyring(api.services.accounts, clock)
    key = await api.key(await api.organisation("studio"))
    assert await deaf.find(key) is not None
    await api.services.accounts.revoke_key(key[4:12])
    clock.now += CACHE_SECONDS
    assert await deaf.find(key) is None


class SlowAccounts:
    """Reads the row first and answers late, so that a revocation falls between the two."""

    def __init__(self, clock: Clock, rows: list[KeyRow]) -> None:
        self._clock = clock
        self._rows = rows

    async def key(self, _: str) -> KeyRow:
        row = self._rows.pop(0)
        self._clock.now += 0.9
        return row


async def test_the_second_counts_from_before_the_read() -> None:
    key, clock = new_key(), Clock()
    rows = [row_of(key, holds=True), row_of(key, holds=False)]
    keyring = Keyring(SlowAccounts(clock, rows), clock)  # type: ignore[arg-type]
    assert await keyring.find(key.key) is not None
    clock.now += 0.2
    assert await keyring.find(key.key) is None


def row_of(key: NewKey, *, holds: bool) -> KeyRow:
    return KeyRow(key.key_id, uuid4(), None, "k", key.secret_hash, ("ie_model",), {}, holds, None)


async def test_a_key_stops_when_it_expires_and_when_its_person_is_shut_out(api: Api) -> None:
    org_id = await api.organisation("studio")
    soon = await api.key(org_id, expires_at=datetime.now(UTC) + timedelta(hours=1))
    late = await api.key(org_id, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert (await api.call("GET", f"{Q}/models", soon)).status_code == 200
    assert (await api.call("GET", f"{Q}/models", late)).status_code == 401

    user_id = await api.person("ann@x.test", org_id)
    token = (await api.log_in("ann@x.test"))["accessToken"]
    path = f"/api/v1/organizations/{org_id}/api-keys"
    hers = (await api.call("POST", path, token, json={"name": "k"})).json()["key"]
    await Users(api.services.database).set_disabled(user_id, True)
    assert (await api.call("GET", f"{Q}/models", hers)).status_code == 401


async def test_the_last_use_of_a_key_is_written_down(api: Api) -> None:
    org_id = await api.organisation("studio")
    used, unused = await api.key(org_id), await api.key(org_id)
    await api.call("GET", f"{Q}/models", used)
    await api.services.keys.write_uses()
    last = {row["key_id"]: row["last_used_at"] for row in await api.services.accounts.keys(org_id)}
    assert last[used[4:12]] is not None
    assert last[unused[4:12]] is None


def test_a_wrong_secret_takes_as_long_as_the_right_one() -> None:
    right, wrong = new_key(), new_key()

    def median(key: str) -> float:
        times: list[int] = []
        for _ in range(2000):
            begun = time.perf_counter_ns()
            is_same(key, right.secret_hash)
            times.append(time.perf_counter_ns() - begun)
        return statistics.median(times)

    assert median(wrong.key) == pytest.approx(median(right.key), rel=0.5)


@pytest.mark.parametrize("damage", [lambda k: k[:-1], lambda k: k + "0", lambda k: k.swapcase(), lambda k: "é" + k[1:]])
def test_a_mistyped_key_is_known_by_its_checksum_without_a_look_into_the_database(damage: object) -> None:
    assert key_id_of(damage(new_key().key)) is None  # type: ignore[operator]


SENSELESS: list[tuple[dict[str, object], str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": ["a"]}, "name"),
    ({"name": "k", "scope": "everything"}, "scope"),
    ({"name": "k", "scope": 7}, "scope"),
    ({"name": "k", "expiresAt": 1}, "expiresAt"),
    ({"name": "k", "expiresAt": "soon"}, "expiresAt"),
    ({"name": "k", "expiresAt": 10**12}, "expiresAt"),
    ({"name": "k", "expiresAt": True}, "expiresAt"),
    ({"name": "k", "spendLimitMicroUsd": -1}, "spendLimitMicroUsd"),
    ({"name": "k", "spendLimitMicroUsd": 1.5}, "spendLimitMicroUsd"),
]


async def test_a_key_that_makes_no_sense_is_refused_with_the_name_of_the_field(api: Api) -> None:
    org_id = await api.organisation("studio")
    await api.person("ann@x.test", org_id)
    token = (await api.log_in("ann@x.test"))["accessToken"]
    for body, param in SENSELESS:
        answer = await api.call("POST", f"/api/v1/organizations/{org_id}/api-keys", token, json=body)
        assert (answer.status_code, answer.json()["param"]) == (400, param), body
    assert await api.services.accounts.keys(org_id) == []
