"""T19: passwords."""

import asyncio
import threading
import time

import psutil
import pytest
from argon2 import PasswordHasher
from rushes.accounts.passwords import HASHES_AT_ONCE, MAX_LENGTH, MIN_LENGTH, Passwords, WeakPassword
from rushes.store.users import Users
from support.api import ME, PASSWORD, Api


async def try_to_log_in(api: Api, email: str, password: str) -> tuple[int, float]:
    begun = time.perf_counter()
    answer = await api.call("POST", f"{ME}/auth-tokens", json={"email": email, "password": password})
    return answer.status_code, time.perf_counter() - begun


async def test_an_unknown_e_mail_takes_as_long_as_a_wrong_password_and_says_the_same(api: Api) -> None:
    await api.person("ann@x.test", await api.organisation("studio"))
    answers: dict[str, list[tuple[bytes, float]]] = {"ann@x.test": [], "nobody@x.test": []}
    for _ in range(3):
        for email, found in answers.items():
            begun = time.process_time()  # what this process computes, whatever else the machine does
            answer = await api.call("POST", f"{ME}/auth-tokens", json={"email": email, "password": "wrong password"})
            found.append((answer.content, time.process_time() - begun))
    assert len({body for found in answers.values() for body, _ in found}) == 1
    wrong, unknown = (min(seconds for _, seconds in found) for found in answers.values())
    assert unknown == pytest.approx(wrong, rel=0.2)


async def test_the_hash_of_nobody_costs_what_a_real_hash_costs() -> None:
    """The work itself, without what else this machine does: the parameters decide it."""
    passwords = Passwords()
    real = await passwords.hash(PASSWORD)
    assert passwords._nobodys.rpartition("$")[0].rpartition("$")[0] == real.rpartition("$")[0].rpartition("$")[0]
    assert [len(part) for part in passwords._nobodys.split("$")] == [len(part) for part in real.split("$")]
    assert not await passwords.verify(PASSWORD, None)
    assert not await passwords.verify("", None)


async def test_hashes_are_argon2id_with_the_defaults_of_the_library() -> None:
    stored = await Passwords().hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in stored


async def test_no_more_than_two_hashes_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, lock, running, most = Passwords(), threading.Lock(), 0, 0
    both = threading.Barrier(HASHES_AT_ONCE)

    def watched(_: str, __: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(60)  # two are here at once, or this breaks
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords, "_verify", watched)
    await asyncio.gather(*(passwords.verify("x", "y") for _ in range(10)))
    assert most == HASHES_AT_ONCE


async def test_many_logins_at_once_take_little_memory_and_the_api_goes_on(api: Api) -> None:
    org_id = await api.organisation("studio")
    people = [f"{number}@x.test" for number in range(8)]
    for email in people:
        await api.person(email, org_id)
    before = psutil.Process().memory_info().rss
    most, slowest = before, 0.0
    logins = asyncio.gather(*(try_to_log_in(api, email, PASSWORD) for email in people))
    while not logins.done():
        begun = time.perf_counter()
        assert (await api.call("GET", "/healthz")).status_code == 200
        slowest = max(slowest, time.perf_counter() - begun)
        most = max(most, psutil.Process().memory_info().rss)
        await asyncio.wait([logins], timeout=0.01)
    assert {status for status, _ in await logins} == {200}
    assert most - before < 200e6  # all at once they would take 500 MB
    assert slowest < 1.0


@pytest.mark.parametrize("length", [0, MIN_LENGTH - 1, MAX_LENGTH + 1, 100_000])
async def test_a_password_has_eight_to_256_characters(length: int) -> None:
    with pytest.raises(WeakPassword, match="8 to 256 characters"):
        await Passwords().hash("x" * length)


async def test_a_password_of_256_characters_counts_to_its_last(api: Api) -> None:
    long = "é" * (MAX_LENGTH - 1)
    passwords = Passwords()
    stored = await passwords.hash(long + "a")
    assert await passwords.verify(long + "a", stored)
    assert not await passwords.verify(long + "b", stored)
    await Users(api.services.database).add("ann@x.test", stored, await api.organisation("studio"), "owner")
    assert (await try_to_log_in(api, "ann@x.test", long + "a"))[0] == 200
    assert (await try_to_log_in(api, "ann@x.test", long + "ab"))[0] == 400


async def test_a_hash_with_older_parameters_is_replaced_at_the_next_login(api: Api) -> None:
    users = Users(api.services.database)
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    user_id = await users.add("ann@x.test", old, await api.organisation("studio"), "owner")
    assert (await try_to_log_in(api, "ann@x.test", PASSWORD))[0] == 200
    row = await users.get(user_id)
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (await try_to_log_in(api, "ann@x.test", PASSWORD))[0] == 200


async def test_a_disabled_person_is_refused_like_a_stranger(api: Api) -> None:
    user_id = await api.person("ann@x.test", await api.organisation("studio"))
    await Users(api.services.database).set_disabled(user_id, True)
    body = {"email": "ann@x.test", "password": PASSWORD}
    answer = await api.call("POST", f"{ME}/auth-tokens", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_credentials")


async def test_a_body_that_makes_no_sense_is_refused_with_the_name_of_the_field(api: Api) -> None:
    for body, param in (
        ({}, "email"),
        ({"email": "a@x.test"}, "password"),
        ({"email": 7, "password": PASSWORD}, "email"),
        ({"email": ["a@x.test"], "password": PASSWORD}, "email"),
        ({"email": "a@x.test", "password": None}, "password"),
        ({"email": "a@x.test", "password": "x" * 5000}, "password"),
    ):
        answer = await api.call("POST", f"{ME}/auth-tokens", json=body)
        assert (answer.status_code, answer.json()["param"]) == (400, param), body


async def test_an_odd_e_mail_is_an_unknown_one(api: Api) -> None:
    for email in ("no e-mail", "a@", "' OR 1=1 --@x.test", "a@x.test\n"):
        answer = await api.call("POST", f"{ME}/auth-tokens", json={"email": email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_credentials"), email
