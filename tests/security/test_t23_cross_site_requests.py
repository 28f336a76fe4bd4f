"""T23: the page's cookie works for our own page alone; signing in, being signed in, and signing out."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest
from rushes.accounts.page_cookie import PLAIN_NAME, SECURE_NAME, cookie_name
from rushes.accounts.passwords import Passwords
from rushes.accounts.people import People
from rushes.accounts.same_origin import is_from_own_page
from rushes.accounts.sign_in_link import new_link
from rushes.accounts.totp import STEP_SECONDS, code_at
from rushes.store.page_sessions import PageSessions
from rushes.store.users import Users
from support.api import ME, PASSWORD, Api, Q, S

PAGE = f"{ME}/page-session"
OWN = {"Sec-Fetch-Site": "same-origin"}
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STRANGERS: dict[str, dict[str, str]] = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
    "a sibling subdomain": {"Sec-Fetch-Site": "same-site", "Origin": "https://blog.rushes.test"},
    "a sandboxed frame": {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    "an old browser on another site": {"Origin": "https://evil.test"},
    "an old browser on a sibling": {"Origin": "https://blog.rushes.test"},
    "an old browser on another port": {"Origin": "https://rushes.test:8443"},
    "an old browser that hides its origin": {"Origin": "null"},
    "nonsense as origin": {"Origin": "http://[rushes.test"},
    "nonsense as site": {"Sec-Fetch-Site": "mars"},
    "a liar who names us in Origin only": {"Sec-Fetch-Site": "cross-site", "Origin": "https://rushes.test"},
}


@dataclass
class Browser:
    """A browser at https://rushes.test, whose calls come from our own page unless told otherwise."""

    api: Api
    client: httpx2.AsyncClient
    org_id: UUID

    async def call(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        return await self.client.request(method, path, headers=OWN if headers is None else headers, **more)

    async def sign_in(self, **body: Any) -> httpx2.Response:
        return await self.call("POST", PAGE, json=body)

    async def key(self, **more: Any) -> str:
        return await self.api.key(self.org_id, **more)

    async def link(self, email: str) -> str:
        return await People(Users(self.api.services.database), Passwords()).sign_in_link(email, self.store)

    @property
    def store(self) -> PageSessions:
        return PageSessions(self.api.services.database)


@pytest.fixture
async def browser(api: Api) -> AsyncIterator[Browser]:
    org_id = await api.organisation("studio")
    await api.person("ann@x.test", org_id)
    transport = httpx2.ASGITransport(api.app, client=("203.0.113.7", 4711))
    async with httpx2.AsyncClient(transport=transport, base_url="https://rushes.test") as client:
        yield Browser(api, client, org_id)


async def test_a_password_a_key_and_a_link_sign_in(browser: Browser) -> None:
    key = await browser.key()
    for body in (
        {"email": "ann@x.test", "password": PASSWORD},
        {"apiKey": f" {key}\n"},
        {"link": await browser.link("ann@x.test")},
    ):
        answer = await browser.sign_in(**body)
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"]
        value = r"rps_[\w-]{43}"
        pattern = rf"__Host-rushes={value}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"
        assert re.fullmatch(pattern, cookie)
        assert answer.headers["cache-control"] == "no-store"
        assert (await browser.call("GET", f"{S}/requests")).json()["total"] == 0
        assert (await browser.call("GET", PAGE)).json() == answer.json()
        assert answer.json()["organization"]["name"] == "studio"
        assert answer.json()["by"] == ("key" if "apiKey" in body else "person")
        browser.client.cookies.clear()


async def test_a_second_factor_is_asked_for_and_the_password_need_not_be_typed_twice(browser: Browser) -> None:
    users = Users(browser.api.services.database)
    row = await users.by_email("ann@x.test")
    assert row is not None
    await users.set_totp(row["user_id"], TOTP)
    answer = await browser.sign_in(email="ann@x.test", password=PASSWORD)
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (400, "invalid_otp", "otpCode")
    first = await browser.call("POST", f"{ME}/auth-tokens", json={"email": "ann@x.test", "password": PASSWORD})
    step = int(datetime.now(UTC).timestamp()) // STEP_SECONDS
    answer = await browser.sign_in(authToken=first.json()["authToken"], otpCode=code_at(TOTP, step))
    assert answer.status_code == 200, answer.text
    assert (await browser.call("GET", f"{ME}/profile")).json()["user"]["email"] == "ann@x.test"


async def test_a_page_session_by_key_may_exactly_what_its_key_may(browser: Browser) -> None:
    key = await browser.key(scopes=["ce_resource"])
    assert (await browser.sign_in(apiKey=key)).json()["key"]["scope"] == "ce_resource"
    assert (await browser.call("GET", f"{S}/requests")).json()["error"] == "This key lacks the scope ie_model"
    assert (await browser.call("GET", f"{ME}/profile")).status_code == 403
    await browser.sign_in(apiKey=await browser.key())
    assert (await browser.call("GET", f"{Q}/requests")).status_code == 200
    keys = f"/api/v1/organizations/{browser.org_id}/api-keys"
    assert (await browser.call("GET", keys)).status_code == 403


async def test_a_page_session_by_password_may_what_its_person_may(browser: Browser) -> None:
    await browser.sign_in(email="ann@x.test", password=PASSWORD)
    body = {"model": "rushes-test", "payload": {"prompt": "x"}}
    assert (await browser.call("POST", f"{S}/requests", json=body)).status_code == 200
    keys = f"/api/v1/organizations/{browser.org_id}/api-keys"
    assert (await browser.call("POST", keys, json={"name": "k"})).status_code == 200
    elsewhere = {**OWN, "X-Organization-ID": str(await browser.api.organisation("other"))}
    assert (await browser.call("GET", f"{S}/requests", elsewhere)).status_code == 404


async def test_the_cookie_is_not_believed_from_strangers(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    body = {"model": "rushes-test", "payload": {"prompt": "x"}}
    for where, headers in STRANGERS.items():
        for method, path in (("GET", f"{S}/requests"), ("POST", f"{Q}/requests"), ("GET", PAGE)):
            answer = await browser.call(method, path, headers, json=body if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), where
    assert (await browser.call("GET", f"{S}/requests")).json()["total"] == 0


async def test_strangers_sign_nobody_in_and_nobody_out(browser: Browser) -> None:
    key = await browser.key()
    for where, headers in STRANGERS.items():
        answer = await browser.call("POST", PAGE, headers, json={"apiKey": key})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), where
    await browser.sign_in(apiKey=key)
    for where, headers in STRANGERS.items():
        answer = await browser.call("DELETE", PAGE, headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), where
    assert (await browser.call("GET", PAGE)).status_code == 200


async def test_a_call_that_says_nothing_of_its_origin_may_read_with_the_cookie_but_not_change(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    body = {"model": "rushes-test", "payload": {"prompt": "x"}}
    assert (await browser.call("GET", f"{S}/requests", {})).status_code == 200
    assert (await browser.call("POST", f"{S}/requests", {}, json=body)).status_code == 403
    assert (await browser.call("DELETE", PAGE, {})).status_code == 403
    browser.client.cookies.clear()
    assert (await browser.call("POST", f"{S}/requests", {}, json=body)).status_code == 401
    assert (await browser.call("POST", PAGE, {}, json={"apiKey": await browser.key()})).status_code == 200


async def test_a_key_in_the_header_does_not_care_where_a_call_comes_from(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key(scopes=["ce_resource"]))
    key, body = await browser.key(), {"model": "rushes-test", "payload": {"prompt": "x"}}
    for where, headers in STRANGERS.items():
        answer = await browser.call("POST", f"{S}/requests", {**headers, "Authorization": f"Bearer {key}"}, json=body)
        assert answer.status_code == 200, where


async def test_a_bad_key_in_the_header_is_not_helped_by_a_good_cookie(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    assert (await browser.call("GET", f"{S}/requests", {**OWN, "Authorization": "Bearer no"})).status_code == 401


async def test_signing_out_ends_the_cookie_and_the_session_behind_it(browser: Browser) -> None:
    await browser.sign_in(email="ann@x.test", password=PASSWORD)
    kept = dict(browser.client.cookies)
    answer = await browser.call("DELETE", PAGE)
    assert answer.headers["set-cookie"].startswith("__Host-rushes=; Path=/; Max-Age=0")
    browser.client.cookies.update(kept)
    answer = await browser.call("GET", f"{S}/requests")
    assert (answer.status_code, answer.json()["error"]) == (401, "You are signed out, please sign in again")
    async with browser.api.services.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 0
        assert await connection.fetchval("SELECT count(*) FROM page_sessions") == 0
    browser.client.cookies.clear()
    assert (await browser.call("DELETE", PAGE)).status_code == 200
    assert (await browser.call("GET", PAGE)).status_code == 401


async def test_signing_in_again_ends_the_cookie_before(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    before = browser.client.cookies[SECURE_NAME]
    await browser.sign_in(apiKey=await browser.key())
    browser.client.cookies.set(SECURE_NAME, before)
    browser.client.cookies.clear()
    answer = await browser.call("GET", PAGE, {**OWN, "Cookie": f"{SECURE_NAME}={before}"})
    assert answer.status_code == 401


async def test_a_revoked_key_a_disabled_person_and_a_new_password_end_their_page_sessions(browser: Browser) -> None:
    services = browser.api.services
    key = await browser.key()
    await browser.sign_in(apiKey=key)
    await services.accounts.revoke_key(key[4:12])
    services.keys.forget_all()
    assert (await browser.call("GET", f"{S}/requests")).status_code == 401
    people = People(Users(services.database), Passwords())
    await browser.sign_in(email="ann@x.test", password=PASSWORD)
    await people.set_disabled("ann@x.test", True)
    services.session_cache.forget_all()
    assert (await browser.call("GET", f"{S}/requests")).status_code == 401
    link = await browser.link("ann@x.test")
    assert (await browser.sign_in(link=link)).status_code == 400
    await people.set_disabled("ann@x.test", False)
    await browser.sign_in(email="ann@x.test", password=PASSWORD)
    await people.set_password("ann@x.test", "another long password")
    services.session_cache.forget_all()
    assert (await browser.call("GET", f"{S}/requests")).status_code == 401


async def test_a_link_works_once_and_not_when_it_is_old(browser: Browser) -> None:
    link = await browser.link("ann@x.test")
    assert (await browser.sign_in(link=link)).status_code == 200
    again = await browser.sign_in(link=link)
    assert (again.status_code, again.json()["code"], again.json()["param"]) == (400, "invalid_credentials", "link")
    old = await browser.link("ann@x.test")
    async with browser.api.services.database.connection() as connection:
        await connection.execute("UPDATE sign_in_links SET expires_at = clock_timestamp()")
    assert (await browser.sign_in(link=old)).json()["error"] == again.json()["error"]
    assert (await browser.sign_in(link="rsl_nonsense")).json()["error"] == again.json()["error"]


async def test_a_page_session_runs_out(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    async with browser.api.services.database.connection() as connection:
        await connection.execute("UPDATE page_sessions SET expires_at = clock_timestamp()")
    browser.api.services.page.forget_all()
    assert (await browser.call("GET", PAGE)).status_code == 401
    await browser.store.forget_old()
    async with browser.api.services.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM page_sessions") == 0


async def test_wrong_keys_and_links_count_as_wrong_passwords_do(browser: Browser) -> None:
    good = await browser.key()
    for number in range(5):
        assert (await browser.sign_in(apiKey=f"gmi_{number}")).status_code == 400
        assert (await browser.sign_in(link=f"rsl_{number}")).status_code == 400
    for body in ({"apiKey": good}, {"link": await browser.link("ann@x.test")}, {"email": "b@x.test", "password": "x"}):
        answer = await browser.sign_in(**body)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 300


async def test_a_sign_in_that_gives_nothing_whole_is_refused_by_name(browser: Browser) -> None:
    half: list[dict[str, Any]] = [
        {},
        {"apiKey": 7},
        {"apiKey": ""},
        {"email": "ann@x.test"},
        {"apiKey": "gmi_x", "link": "rsl_x"},
        {"link": []},
    ]
    for body in half:
        answer = await browser.sign_in(**body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), body
        assert answer.json()["param"] in ("email", "password", "apiKey", "link"), body


async def test_form_bodies_are_refused_on_the_api(browser: Browser) -> None:
    answer = await browser.call("POST", PAGE, data={"apiKey": await browser.key()})
    assert answer.status_code == 415


async def test_no_cookie_is_set_where_it_would_cross_a_network_in_the_clear(browser: Browser) -> None:
    body = {"apiKey": await browser.key()}
    answer = await browser.api.client.post(PAGE, headers=OWN, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "set-cookie" not in answer.headers
    answer = await browser.api.client.post(PAGE, headers={**OWN, "Host": "127.0.0.1:8000"}, json=body)
    assert re.fullmatch(
        r"rushes=rps_[\w-]{43}; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax", answer.headers["set-cookie"]
    )


async def test_a_cookie_of_the_other_name_means_nothing(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    token = browser.client.cookies[SECURE_NAME]
    browser.client.cookies.clear()
    for cookie in (f"{PLAIN_NAME}={token}", f"{SECURE_NAME}=", f"{SECURE_NAME}=rps_", f"{SECURE_NAME}=" + "x" * 5000):
        assert (await browser.call("GET", f"{S}/requests", {**OWN, "Cookie": cookie})).status_code == 401


@pytest.mark.parametrize(
    ("scheme", "host", "public_url", "name"),
    [
        ("https", "rushes.test", "", SECURE_NAME),
        ("https", "localhost:8000", "", SECURE_NAME),
        ("http", "127.0.0.1:8000", "https://rushes.test", SECURE_NAME),
        ("http", "127.0.0.1:8000", "", PLAIN_NAME),
        ("http", "127.1.2.3", "http://127.0.0.1:8000", PLAIN_NAME),
        ("http", "LOCALHOST:8000", "", PLAIN_NAME),
        ("http", "demo.localhost", "", PLAIN_NAME),
        ("http", "[::1]:8000", "", PLAIN_NAME),
        ("http", "10.0.0.1:8000", "", None),
        ("http", "localhost.evil.test", "", None),
        ("http", "127.0.0.1.evil.test", "", None),
        ("http", "[::1", "", None),
        ("http", "", "", None),
    ],
)
def test_the_cookies_name_follows_from_scheme_and_host(
    scheme: str, host: str, public_url: str, name: str | None
) -> None:
    assert cookie_name(scheme, host, public_url) == name


def judge(method: str = "POST", *, with_cookie: bool = True, own: tuple[str, ...] = (), **headers: str) -> bool:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return is_from_own_page(method, given, with_cookie=with_cookie, own_origins=own)


def test_an_old_browsers_origin_is_compared_with_host_and_with_our_public_address() -> None:
    assert judge(origin="https://rushes.test", host="rushes.test")
    assert judge(origin="https://Rushes.test:8443", host="rushes.test:8443")
    assert judge(origin="https://rushes.test", host="10.0.0.5:8000", own=("https://rushes.test",))
    assert not judge(origin="https://rushes.test", host="10.0.0.5:8000")
    assert not judge(origin="null", host="null.test")
    assert not judge(origin="", host="")


def test_what_the_user_did_is_ours() -> None:
    assert judge(sec_fetch_site="none")
    assert judge(sec_fetch_site="same-origin", origin="null")


def test_without_any_word_of_its_origin_a_call_may_read_or_bring_no_cookie() -> None:
    assert judge("GET", host="rushes.test")
    assert judge("POST", with_cookie=False, host="rushes.test")
    assert not judge("POST", host="rushes.test")


async def test_no_token_is_stored_readably(browser: Browser) -> None:
    await browser.sign_in(apiKey=await browser.key())
    token = browser.client.cookies[SECURE_NAME]
    link = await new_link(browser.store, (await _ann(browser)))
    async with browser.api.services.database.connection() as connection:
        stored = str(await connection.fetch("SELECT p::text FROM page_sessions p"))
        stored += str(await connection.fetch("SELECT l::text FROM sign_in_links l"))
    assert token not in stored
    assert link not in stored


async def _ann(browser: Browser) -> UUID:
    row = await Users(browser.api.services.database).by_email("ann@x.test")
    assert row is not None
    return row["user_id"]
