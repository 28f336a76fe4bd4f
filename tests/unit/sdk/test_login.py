"""Logging in: when, how often, and what is kept where."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest
from gmicloud import AsyncClient, Client
from gmicloud.errors import AuthenticationError, ConfigurationError

from tests.unit.sdk.conftest import PASSWORD, Reply, Wire

MAIL = "me@example.test"


def logging_in(wire: Wire, **more: object) -> Client:
    return Client("my-client", MAIL, PASSWORD, base_url=wire.url, timeout=30, **more)  # type: ignore[arg-type]


def iam(wire: Wire) -> list[str]:
    return [path for path in wire.paths() if "/me/" in path]


def test_making_a_client_costs_no_traffic(wire: Wire) -> None:
    logging_in(wire).close()
    assert wire.calls == []


def test_the_first_call_logs_in_and_later_ones_do_not(wire: Wire) -> None:
    with logging_in(wire) as client:
        client.video_manager.get_models()
        client.video_manager.get_models()
    assert iam(wire) == ["POST /api/v1/me/auth-tokens", "POST /api/v1/me/sessions"]
    last = wire.calls[-1]
    assert last.path == "/api/v1/ie/requestqueue/models"
    assert (last.headers["authorization"], last.headers["ce-clientid"]) == ("Bearer access-token-1", "my-client")


def test_an_expired_token_is_renewed_once_and_the_call_repeated(wire: Wire) -> None:
    with logging_in(wire) as client:
        client.video_manager.get_models()
        wire.valid_tokens = set()
        assert client.submit("wan2.7-i2v", prompt="x").status == "queued"
    assert iam(wire)[2:] == ["PATCH /api/v1/me/sessions"]
    posts = [call for call in wire.calls if call.path.endswith("/requests")]
    assert len({call.headers["idempotency-key"] for call in posts}) == 1


def test_a_refused_refresh_token_is_replaced_by_a_new_login(wire: Wire) -> None:
    with logging_in(wire) as client:
        client.video_manager.get_models()
        wire.valid_tokens = set()
        wire.token = 7  # the server forgot the refresh token
        assert client.video_manager.get_models()
    assert iam(wire)[2:] == [
        "PATCH /api/v1/me/sessions",
        "POST /api/v1/me/auth-tokens",
        "POST /api/v1/me/sessions",
    ]


def test_a_call_refused_with_a_fresh_token_is_not_repeated_for_ever(wire: Wire) -> None:
    refused = Reply(401, {"error": "Invalid or missing API key", "code": "unauthenticated"})
    with logging_in(wire) as client:
        wire.script("GET", "/models$", refused, refused, refused)
        with pytest.raises(AuthenticationError):
            client.video_manager.get_models()
    assert len([call for call in wire.calls if call.path.endswith("/models")]) == 2


def test_a_wrong_password_is_one_clear_error_without_the_password(wire: Wire) -> None:
    with (
        Client(email=MAIL, password="wrong-password", base_url=wire.url) as client,
        pytest.raises(AuthenticationError, match="Invalid e-mail or password") as caught,
    ):
        client.video_manager.get_models()
    assert caught.value.code == "invalid_credentials"
    assert "wrong-password" not in f"{caught.value!r} {vars(caught.value)}"


def test_a_wrong_key_is_refused_at_once_and_not_retried(wire: Wire) -> None:
    with Client(api_key="gmi_expired-key", base_url=wire.url) as client, pytest.raises(AuthenticationError):
        client.video_manager.get_models()
    assert len(wire.calls) == 1


def test_many_threads_log_in_once(wire: Wire) -> None:
    with logging_in(wire) as client:
        threads = [threading.Thread(target=client.video_manager.get_models) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(iam(wire)) == 2


async def test_many_tasks_log_in_and_renew_once(wire: Wire) -> None:
    async with AsyncClient(email=MAIL, password=PASSWORD, base_url=wire.url) as client:
        await asyncio.gather(*(client.video_manager.get_models() for _ in range(8)))
        wire.valid_tokens = set()
        await asyncio.gather(*(client.video_manager.get_models() for _ in range(8)))
    assert len(iam(wire)) == 3


def test_a_one_time_code_is_asked_for_up_to_three_times(wire: Wire) -> None:
    wire.two_factor = True
    codes = iter(["000000", "111111", "123456"])
    with logging_in(wire, otp=lambda: next(codes)) as client:
        assert client.video_manager.get_models()


def test_three_wrong_codes_are_enough(wire: Wire) -> None:
    wire.two_factor = True
    asked: list[int] = []
    with (
        logging_in(wire, otp=lambda: asked.append(1) or "000000") as client,
        pytest.raises(AuthenticationError, match="Invalid code"),
    ):
        client.video_manager.get_models()
    assert len(asked) == 3


def test_an_account_with_a_second_factor_says_what_to_pass(wire: Wire) -> None:
    wire.two_factor = True
    with logging_in(wire) as client, pytest.raises(AuthenticationError, match="otp="):
        client.video_manager.get_models()


async def test_the_code_may_come_from_an_async_function(wire: Wire) -> None:
    wire.two_factor = True

    async def ask() -> str:
        return "123456"

    async with AsyncClient(email=MAIL, password=PASSWORD, base_url=wire.url, otp=ask) as client:
        assert await client.video_manager.get_models()


def test_tokens_stay_in_memory_unless_a_file_is_asked_for(wire: Wire, tmp_path: Path, monkeypatch: object) -> None:
    with logging_in(wire) as client:
        client.video_manager.get_models()
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "login.json"
    with logging_in(wire, token_file=file) as client:
        client.video_manager.get_models()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["refresh_token"] == f"refresh-token-{wire.token}"
    assert [one.name for one in tmp_path.iterdir()] == ["login.json"]


def test_a_kept_login_is_used_without_a_password_exchange(wire: Wire, tmp_path: Path) -> None:
    file = tmp_path / "login.json"
    for _ in range(2):
        with logging_in(wire, token_file=file) as client:
            client.video_manager.get_models()
    assert iam(wire)[2:] == ["PATCH /api/v1/me/sessions"]


def test_a_token_file_others_can_read_or_that_is_none_is_refused(wire: Wire, tmp_path: Path) -> None:
    file = tmp_path / "login.json"
    file.write_text("{}")
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="0600"):
        logging_in(wire, token_file=file)
    file.chmod(0o600)
    file.write_text("no json")
    with pytest.raises(ConfigurationError, match="not a token file"):
        logging_in(wire, token_file=file)
