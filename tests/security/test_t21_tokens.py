"""T21: tokens of people."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from rushes.accounts.session_cache import CACHE_SECONDS, SessionCache
from rushes.accounts.tokens import ISSUER, SKEW_SECONDS, BadToken, Kind, Tokens
from rushes.accounts.totp import code_at
from rushes.store.users import Users
from support.api import ME, Api, S, running_api

KEYS = [("old", b"o" * 32), ("new", b"n" * 32)]
USER, SESSION = uuid4(), uuid4()


class Clock:
    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def decoded(token: str) -> dict[str, Any]:
    """As the published SDK reads a token: without a key."""
    return jwt.decode(token, options={"verify_signature": False})


def forged(token: str, *, header: Any = None, claims: Any = None, **how: Any) -> str:
    """The token with other claims or header (None takes a name away), signed with `key` by `algorithm`."""
    merged = {**decoded(token), **(claims or {})}
    names = {**jwt.get_unverified_header(token), **(header or {})}
    kept = {name: value for name, value in names.items() if value is not None and name not in ("alg", "typ")}
    return jwt.encode(
        {name: value for name, value in merged.items() if value is not None},
        how.get("key", signing_key()),
        algorithm=how.get("algorithm", "HS256"),
        headers=kept,
    )


def signing_key(kid: str = "new") -> bytes:
    return Tokens(KEYS)._keys[kid]


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(KEYS)


@pytest.fixture
def access(tokens: Tokens) -> str:
    return tokens.make(Kind.ACCESS, USER, SESSION, 900)


def test_a_token_is_a_jwt_that_decodes_without_a_key(access: str) -> None:
    claims = decoded(access)
    assert (claims["userId"], claims["sub"], claims["iss"]) == (str(USER), str(USER), ISSUER)
    assert claims["exp"] - claims["iat"] == 900


def test_a_good_token_is_good_also_under_an_older_key(tokens: Tokens, access: str) -> None:
    assert tokens.read(Kind.ACCESS, access).session_id == SESSION
    before = Tokens(KEYS[:1]).make(Kind.ACCESS, USER, SESSION, 900)
    assert tokens.read(Kind.ACCESS, before).session_id == SESSION


def test_forging_works_in_these_tests(tokens: Tokens, access: str) -> None:
    assert tokens.read(Kind.ACCESS, forged(access)).user_id == USER


@pytest.mark.parametrize("missing", ["exp", "iat", "sub", "aud", "iss", "sid", "n"])
def test_a_token_without_one_of_its_claims_is_refused(tokens: Tokens, access: str, missing: str) -> None:
    with pytest.raises(BadToken):
        tokens.read(Kind.ACCESS, forged(access, claims={missing: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"aud": "rushes"},
        {"sub": "not a uuid"},
        {"sub": 7},
        {"sid": "x"},
        {"sid": None, "jti": str(SESSION)},
        {"exp": "later"},
        {"exp": [9_999_999_999]},
        {"iat": "before"},
        {"n": "x"},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(tokens: Tokens, access: str, claims: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        tokens.read(Kind.ACCESS, forged(access, claims=claims))


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("wanted", list(Kind))
def test_no_kind_of_token_stands_in_for_another(tokens: Tokens, kind: Kind, wanted: Kind) -> None:
    token = tokens.make(kind, USER, SESSION, 900)
    if kind is wanted:
        assert tokens.read(wanted, token).session_id == SESSION
        return
    with pytest.raises(BadToken):
        tokens.read(wanted, token)


def test_a_token_without_a_signature_is_refused(tokens: Tokens, access: str) -> None:
    body = access.split(".")[1]
    for algorithm in ("none", "None", "NONE", "nOnE"):
        header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "new"}).encode()).decode().rstrip("=")
        for signature in ("", access.split(".")[2]):
            with pytest.raises(BadToken):
                tokens.read(Kind.ACCESS, f"{header}.{body}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_key_is_refused(tokens: Tokens, access: str, algorithm: str) -> None:
    with pytest.raises(BadToken), pytest.warns(jwt.InsecureKeyLengthWarning):
        tokens.read(Kind.ACCESS, forged(access, algorithm=algorithm))


def test_a_key_of_the_callers_own_is_refused_wherever_the_header_says_it_is(tokens: Tokens, access: str) -> None:
    own = b"k" * 32
    for header in (
        {},
        {"kid": "old"},
        {"kid": "unknown"},
        {"kid": None},
        {"kid": "../../dev/null"},
        {"jku": "https://evil.example/keys.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"jwk": {"kty": "oct", "k": base64.urlsafe_b64encode(own).decode()}},
    ):
        with pytest.raises(BadToken):
            tokens.read(Kind.ACCESS, forged(access, header=header, key=own))


def test_the_secret_in_the_table_does_not_sign_tokens_itself(tokens: Tokens, access: str) -> None:
    """Links are signed with it, so that a leak of one use is no leak of the other."""
    with pytest.raises(BadToken):
        tokens.read(Kind.ACCESS, forged(access, key=KEYS[1][1]))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "x" * 5000, "é.é.é", "eyJhbGciOiJIUzI1NiJ9.e30.", "[" * 900, "null.null.null"]
)
def test_any_other_text_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(BadToken):
        tokens.read(Kind.ACCESS, text)


def test_a_header_nested_a_thousand_levels_deep_is_refused(tokens: Tokens) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":' + b"[" * 1200).decode().rstrip("=")
    with pytest.raises(BadToken):
        tokens.read(Kind.ACCESS, f"{header}.e30.x")


def test_clocks_may_be_a_minute_apart_and_no_more() -> None:
    clock = Clock()
    tokens = Tokens(KEYS, clock)
    token = tokens.make(Kind.ACCESS, USER, SESSION, 900)
    for moment, good in ((-SKEW_SECONDS - 1, False), (-SKEW_SECONDS, True), (900 + 59, True), (900 + 61, False)):
        clock.now = 1_790_000_000.0 + moment
        if good:
            assert tokens.read(Kind.ACCESS, token).session_id == SESSION
        else:
            with pytest.raises(BadToken):
                tokens.read(Kind.ACCESS, token)


def test_tokens_show_no_key(tokens: Tokens) -> None:
    assert repr(tokens) == "Tokens(newest='new')"


# -- sessions behind the tokens --------------------------------------------------------------------------------------


@pytest.fixture
async def org_id(api: Api) -> UUID:
    return await api.organisation("studio")


@pytest.fixture
async def ann(api: Api, org_id: UUID) -> AsyncIterator[dict[str, str]]:
    """The tokens of somebody who has logged in as the published SDK does."""
    await api.person("ann@x.test", org_id)
    return await api.log_in("ann@x.test", client="gmisdk")


async def status(api: Api, token: str) -> int:
    return (await api.call("GET", f"{S}/requests", token)).status_code


async def refresh(api: Api, token: str) -> Any:
    return await api.call("PATCH", f"{ME}/sessions", json={"refreshToken": token})


async def test_the_published_sdk_gets_twelve_hours_and_others_a_quarter(api: Api, ann: dict[str, str]) -> None:
    def life(token: str) -> int:
        return decoded(token)["exp"] - decoded(token)["iat"]

    page = await api.log_in("ann@x.test", client="page")
    assert (life(ann["accessToken"]), life(page["accessToken"])) == (43_200, 900)
    renewed = (await refresh(api, ann["refreshToken"])).json()
    assert life(renewed["accessToken"]) == 43_200
    assert life(renewed["refreshToken"]) == 30 * 86_400


async def test_logging_out_ends_the_access_token_although_it_lives_twelve_hours(api: Api, ann: dict[str, str]) -> None:
    assert await status(api, ann["accessToken"]) == 200
    assert (await api.call("DELETE", f"{ME}/sessions", ann["accessToken"])).status_code == 200
    assert await status(api, ann["accessToken"]) == 401
    assert (await refresh(api, ann["refreshToken"])).status_code == 401


async def test_an_ended_session_stops_within_a_second_where_notifications_are_lost(
    api: Api, ann: dict[str, str]
) -> None:
    clock = Clock()
    deaf = SessionCache(api.services.sessions, clock)
    session_id = UUID(decoded(ann["accessToken"])["sid"])
    assert await deaf.find(session_id) is not None
    await api.services.sessions.end(session_id)
    clock.now += CACHE_SECONDS
    assert await deaf.find(session_id) is None


async def test_what_an_operator_does_to_a_person_ends_their_sessions(api: Api, org_id: UUID) -> None:
    users = Users(api.services.database)
    user_id = await api.person("bob@x.test", org_id)
    row = await users.get(user_id)
    assert row is not None
    for act in (
        lambda: users.set_password(user_id, row["password_hash"]),
        lambda: users.set_totp(user_id, None),
        lambda: users.join(user_id, org_id, "viewer"),
        lambda: users.set_disabled(user_id, True),
    ):
        tokens = await api.log_in("bob@x.test")
        assert await status(api, tokens["accessToken"]) == 200
        await act()
        api.services.session_cache.forget_all()  # the NOTIFY is on its way; the clock is tested above
        assert await status(api, tokens["accessToken"]) == 401
        assert (await refresh(api, tokens["refreshToken"])).status_code == 401


async def test_an_ended_session_is_heard_of_by_notify(api: Api, ann: dict[str, str]) -> None:
    heard = asyncio.Event()
    forget = api.services.session_cache.forget

    def hear(payload: str) -> None:
        forget(payload)
        heard.set()

    await api.services.listener.connected.wait()
    api.services.listener._handlers["rushes_session"].append(hear)
    assert await status(api, ann["accessToken"]) == 200
    await api.services.sessions.end(UUID(decoded(ann["accessToken"])["sid"]))
    await asyncio.wait_for(heard.wait(), 10)
    assert await status(api, ann["accessToken"]) == 401


async def test_a_refresh_token_is_used_up_but_stays_good_for_a_minute(api: Api, ann: dict[str, str]) -> None:
    first = (await refresh(api, ann["refreshToken"])).json()
    second = (await refresh(api, ann["refreshToken"])).json()
    # Two processes that share a file of tokens: both hold the same refresh token now.
    assert decoded(first["refreshToken"])["n"] == decoded(second["refreshToken"])["n"] == 1
    third = (await refresh(api, first["refreshToken"])).json()
    assert decoded(third["refreshToken"])["n"] == 2
    # The first one was used less than a minute ago, so it is good still, also after two generations.
    assert decoded((await refresh(api, ann["refreshToken"])).json()["refreshToken"])["n"] == 2
    assert await status(api, third["accessToken"]) == 200


async def test_a_refresh_token_used_long_after_its_use_ends_the_session(api: Api, ann: dict[str, str]) -> None:
    good = (await refresh(api, ann["refreshToken"])).json()
    async with api.services.database.connection() as connection:
        await connection.execute("UPDATE sessions SET used_at = ARRAY[used_at[1] - interval '61 seconds']")
    stolen = await refresh(api, ann["refreshToken"])
    assert (stolen.status_code, stolen.json()["code"]) == (401, "unauthenticated")
    api.services.session_cache.forget_all()
    assert await status(api, good["accessToken"]) == 401
    assert (await refresh(api, good["refreshToken"])).status_code == 401


async def test_refresh_tokens_survive_a_restart(
    api: Api, ann: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    async with running_api(database_url, tmp_path) as restarted:
        answer = await refresh(restarted, ann["refreshToken"])
        assert answer.status_code == 200
        assert await status(restarted, answer.json()["accessToken"]) == 200


async def test_a_login_token_opens_one_session(api: Api, org_id: UUID) -> None:
    await api.person("bob@x.test", org_id)
    body = {"email": "bob@x.test", "password": "a long enough password"}
    first = (await api.call("POST", f"{ME}/auth-tokens", json=body)).json()
    assert first["is2FARequired"] is False
    opened = {"type": "native", "authToken": first["authToken"], "otpCode": None}
    assert (await api.call("POST", f"{ME}/sessions", json=opened)).status_code == 200
    assert (await api.call("POST", f"{ME}/sessions", json=opened)).status_code == 401
    assert (await api.call("GET", f"{ME}/profile", first["authToken"])).status_code == 401


async def test_a_second_factor_is_asked_for_and_each_code_works_once(api: Api, org_id: UUID) -> None:
    users = Users(api.services.database)
    user_id = await api.person("bob@x.test", org_id)
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    await users.set_totp(user_id, secret)
    body = {"email": "bob@x.test", "password": "a long enough password"}

    async def login_token() -> str:
        first = (await api.call("POST", f"{ME}/auth-tokens", json=body)).json()
        assert first["is2FARequired"] is True
        return first["authToken"]

    async def open_session(token: str, code: str | None) -> Any:
        opened = {"type": "native", "authToken": token, "otpCode": code}
        return await api.call("POST", f"{ME}/sessions", json=opened)

    token = await login_token()

    code = code_at(secret, int(time.time()) // 30)
    for wrong in (None, "", "12345", "1234567", "abcdef", str((int(code) + 1) % 10**6).zfill(6)):
        answer = await open_session(token, wrong)
        assert answer.status_code == 400
        assert answer.json()["param"] == "otpCode"
    assert (await open_session(token, f"{code[:3]} {code[3:]}")).status_code == 200
    assert (await open_session(await login_token(), code)).json()["code"] == "invalid_otp"


async def test_codes_cannot_be_guessed_without_end(api: Api, org_id: UUID) -> None:
    users = Users(api.services.database)
    await users.set_totp(await api.person("bob@x.test", org_id), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    body = {"email": "bob@x.test", "password": "a long enough password"}
    first = (await api.call("POST", f"{ME}/auth-tokens", json=body)).json()
    opened = {"type": "native", "authToken": first["authToken"], "otpCode": "no code"}
    answers = [(await api.call("POST", f"{ME}/sessions", json=opened)).status_code for _ in range(12)]
    assert answers == [400] * 10 + [429] * 2
    # Knowing the password gives no new tries.
    assert (await api.call("POST", f"{ME}/auth-tokens", json=body)).status_code == 429


async def test_a_person_of_several_organisations_chooses_by_header(api: Api, org_id: UUID) -> None:
    other = await api.organisation("other")
    user_id = await api.person("bob@x.test", org_id)
    await Users(api.services.database).join(user_id, other, "viewer")
    token = (await api.log_in("bob@x.test"))["accessToken"]
    profile = (await api.call("GET", f"{ME}/profile", token)).json()
    assert profile["organization"] == {"id": str(org_id), "role": "owner", "name": "studio", "limits": {}}
    assert [each["id"] for each in profile["organizations"]] == [str(org_id), str(other)]
    header = {"X-Organization-ID": str(other).upper()}
    chosen = (await api.call("GET", f"{ME}/profile", token, headers=header)).json()
    assert chosen["organization"] == {"id": str(other), "role": "viewer", "name": "other", "limits": {}}
    refused = await api.call("POST", f"{S}/upload-url", token, headers=header, json={"file_type": "png"})
    assert refused.status_code == 403


async def test_somebody_without_an_organisation_has_a_profile_and_nothing_else(api: Api, org_id: UUID) -> None:
    user_id = await api.person("bob@x.test", org_id)
    async with api.services.database.connection() as connection:
        await connection.execute("DELETE FROM memberships WHERE user_id = $1", user_id)
    token = (await api.log_in("bob@x.test"))["accessToken"]
    profile = (await api.call("GET", f"{ME}/profile", token)).json()
    assert profile["organization"] == {"id": "", "role": "", "name": "", "limits": {}}
    assert await status(api, token) == 403


SENSELESS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "sessions", {}, "authToken"),
    ("POST", "sessions", {"authToken": 7}, "authToken"),
    ("POST", "sessions", {"authToken": "x", "type": "saml"}, "type"),
    ("POST", "sessions", {"authToken": "x", "otpCode": 123456}, "otpCode"),
    ("POST", "2fa-verification-code", {}, "authToken"),
    ("PATCH", "sessions", {}, "refreshToken"),
    ("PATCH", "sessions", {"refreshToken": ["x"]}, "refreshToken"),
    ("PATCH", "sessions", {"refreshToken": "x" * 5000}, "refreshToken"),
]


async def test_a_body_that_makes_no_sense_names_its_field(api: Api) -> None:
    for method, path, body, param in SENSELESS:
        answer = await api.call(method, f"{ME}/{path}", json=body)
        assert (answer.status_code, answer.json()["param"]) == (400, param), (path, body)
