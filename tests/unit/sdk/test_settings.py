"""Where the server is and who calls."""

from __future__ import annotations

import pytest
from gmicloud import Client
from gmicloud._internal._settings import DEFAULT_URL, Login, read_base_url, read_login
from gmicloud.errors import ConfigurationError


@pytest.mark.parametrize(
    "given",
    [
        "https://host",
        "https://host/",
        "https://host/api/v1/ie/requestqueue/apikey",
        "https://host/api/v1/ie/requestqueue/apikey/",
        "https://host/api/v1/ie/requestqueue",
        "https://host/api/v1/apikey",
        "https://host/api/v1/me",
        "https://host/api/v1",
        "  https://host ",
    ],
)
def test_the_root_and_every_documented_prefix_mean_the_same_server(given: str) -> None:
    assert read_base_url(given, {}) == "https://host"


def test_a_path_before_the_prefix_is_kept_for_proxies() -> None:
    assert read_base_url("http://h:1/video/api/v1/apikey", {}) == "http://h:1/video"


def test_the_documented_host_is_the_default_and_the_environment_replaces_it() -> None:
    assert read_base_url(None, {}) == DEFAULT_URL
    assert read_base_url(None, {"GMI_BASE_URL": "http://127.0.0.1:8000"}) == "http://127.0.0.1:8000"
    assert read_base_url("http://a", {"GMI_BASE_URL": "http://b"}) == "http://a"


@pytest.mark.parametrize(
    "given",
    [
        "host",
        "ftp://host",
        "https://",
        "http://[::1",
        "https://host?x=1",
        "https://host#f",
        "http://host:99999",
        "://",
        "http://ho st",
        "http://h\0",
    ],
)
def test_anything_but_a_plain_web_address_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="must look like") as caught:
        read_base_url(given, {})
    assert caught.value.param == "base_url"


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_base_url("https://user:hunter22@host", {})
    assert "hunter22" not in str(caught.value)


ENV = {
    "GMI_API_KEY": "env-key",
    "GMI_CLOUD_EMAIL": "env@host",
    "GMI_CLOUD_PASSWORD": "env-password",
    "GMI_CLOUD_CLIENT_ID": "env-client",
    "GMI_ORG_ID": "env-org",
}


def test_an_api_key_beats_a_login_of_the_same_level() -> None:
    assert read_login(Login(), ENV).api_key == "env-key"
    assert read_login(Login(api_key="k", email="e", password="p"), {}) == Login(api_key="k")


def test_arguments_beat_the_environment() -> None:
    login = read_login(Login(email="me@host", password="mine"), ENV)
    assert (login.api_key, login.email, login.password) == ("", "me@host", "mine")
    assert read_login(Login(api_key="k", client_id="c", organization_id="o"), ENV) == Login(
        api_key="k", client_id="c", organization_id="o"
    )


def test_the_documented_variables_are_enough() -> None:
    without_key = {name: value for name, value in ENV.items() if name != "GMI_API_KEY"}
    login = read_login(Login(), without_key)
    assert (login.email, login.password, login.client_id) == ("env@host", "env-password", "env-client")
    assert login.organization_id == "env-org"


def test_half_a_login_is_completed_from_the_environment() -> None:
    assert read_login(Login(email="me@host"), ENV).password == "env-password"


def test_a_key_read_from_a_file_may_end_in_a_line_break() -> None:
    assert read_login(Login(api_key="key\n"), {}).api_key == "key"


def test_no_credentials_say_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENV:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="GMI_API_KEY") as caught:
        Client()
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel", "nul\0"])
def test_a_key_that_cannot_be_a_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="printable ASCII") as caught:
        read_login(Login(api_key=key), {})
    assert key not in str(caught.value)


def test_a_login_never_prints_its_secrets() -> None:
    shown = repr(Login(api_key="secret-key", email="secret-mail", password="secret-word", client_id="secret-id"))
    assert "secret" not in shown
