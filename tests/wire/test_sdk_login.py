"""Our SDK against a real platform where the reference leaves room: logging in, a second factor, webhooks, faults."""

from __future__ import annotations

import base64
import hmac
import json
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from gmicloud import Client
from gmicloud.errors import AuthenticationError, RequestFailedError, WebhookVerificationError
from gmicloud.local import LocalServer
from gmicloud.webhooks import unwrap

PICTURE = Path(__file__).parents[2] / "examples" / "pictures" / "coffee.png"
SHOT = {"first_frame": PICTURE, "resolution": "720P", "duration": 2}
PASSWORD = "a long enough pass phrase"


def rushes(server: LocalServer, *words: str, typed: str = "") -> dict[str, str]:
    """Run a command of the platform's operator and read its JSON."""
    command = [Path(sys.executable).with_name("rushes"), *words, "--data", server.data, "--json"]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def email(gmicloud_server: LocalServer) -> str:
    """Somebody who may log in."""
    address = "sdk@example.test"
    rushes(gmicloud_server, "users", "create", "--email", address, "--password-stdin", typed=PASSWORD + "\n")
    return address


def logging_in(server: LocalServer, email: str, **more: object) -> Client:
    return Client(email=email, password=PASSWORD, base_url=server.base_url, **more)  # type: ignore[arg-type]


def test_the_documented_login_works_for_every_verb(gmicloud_server: LocalServer, email: str) -> None:
    with logging_in(gmicloud_server, email) as client:
        manager = client.video_manager
        assert len(manager.get_models()) > 10
        assert manager.get_model_detail("wan2.7-i2v").parameters[0].key
        made = client.submit("wan2.7-i2v", SHOT)
        assert client.cancel(made).request_id == made.request_id
        assert made.request_id in [one.request_id for one in manager.get_requests("wan2.7-i2v", limit=10)]


def test_a_wrong_password_is_one_clear_error(gmicloud_server: LocalServer, email: str) -> None:
    with (
        Client(email=email, password="not the pass phrase", base_url=gmicloud_server.base_url) as client,
        pytest.raises(AuthenticationError, match="Invalid e-mail or password"),
    ):
        client.video_manager.get_models()


def test_a_kept_login_needs_no_password_again(gmicloud_server: LocalServer, email: str, tmp_path: Path) -> None:
    file = tmp_path / "login.json"
    with logging_in(gmicloud_server, email, token_file=file) as client:
        client.video_manager.get_models()
    with Client(email=email, password="forgotten", base_url=gmicloud_server.base_url, token_file=file) as client:
        assert client.video_manager.get_requests(limit=1) is not None


def test_an_access_token_the_server_ended_is_replaced(gmicloud_server: LocalServer, email: str) -> None:
    with logging_in(gmicloud_server, email) as client:
        client.video_manager.get_requests(limit=1)
        rushes(gmicloud_server, "users", "set-password", email, "--password-stdin", typed=PASSWORD + "\n")
        assert client.video_manager.get_requests(limit=1) is not None


def test_a_one_time_code_is_asked_for(gmicloud_server: LocalServer) -> None:
    address = "twice@example.test"
    rushes(gmicloud_server, "users", "create", "--email", address, "--password-stdin", typed=PASSWORD + "\n")
    uri = rushes(gmicloud_server, "users", "totp", address, "on")["uri"]
    secret = parse_qs(urlsplit(uri).query)["secret"][0]
    with logging_in(gmicloud_server, address, otp=lambda: one_time_code(secret)) as client:
        assert client.video_manager.get_model_detail("wan2.7-i2v").model == "wan2.7-i2v"


def one_time_code(secret: str) -> str:
    """RFC 6238 with its defaults: SHA-1, 30 seconds, six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def test_a_delivered_webhook_passes_our_check(gmicloud_server: LocalServer, email: str, site: Any) -> None:
    secret = webhook_secret(gmicloud_server, email)
    with gmicloud_server.client() as client:
        options = {"webhook_url": f"{site.url}/sdk-hook", "metadata": {"shot": 3}}
        made = client.submit("wan2.7-i2v", SHOT, options=options)  # type: ignore[arg-type]
        client.wait(made, timeout=60)
    (delivery,) = site.deliveries("/sdk-hook", 1)
    event = unwrap(delivery.body, delivery.headers, secret)
    assert (event.type, event.data.request_id, event.data.metadata) == (
        "request.success",
        made.request_id,
        {"shot": 3},
    )
    with pytest.raises(WebhookVerificationError):
        unwrap(delivery.body + b" ", delivery.headers, secret)


def webhook_secret(server: LocalServer, email: str) -> str:
    """A secret of the organisation, made by its owner over the plain API."""
    with httpx2.Client(base_url=f"{server.base_url}/api/v1") as http:
        token = http.post("/me/auth-tokens", json={"email": email, "password": PASSWORD}).json()["authToken"]
        body = {"type": "native", "authToken": token, "otpCode": None}
        access = http.post("/me/sessions", json=body).json()["accessToken"]
        owner = {"Authorization": f"Bearer {access}"}
        organisation = http.get("/me/profile", headers=owner).json()["organization"]["id"]
        return http.post(f"/organizations/{organisation}/webhook-secrets", headers=owner).json()["secret"]


def test_faults_can_be_ordered(gmicloud_server: LocalServer) -> None:
    with gmicloud_server.client() as client:
        with pytest.raises(RequestFailedError) as caught:
            client.generate("wan2.7-i2v", SHOT, **gmicloud_server.fail("out_of_memory", at=30))
        assert caught.value.code == "out_of_memory"
        assert client.generate("wan2.7-i2v", SHOT, **gmicloud_server.lose_worker()).attempt == 2
