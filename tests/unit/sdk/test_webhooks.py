"""Webhooks are trusted only with the right signature and age."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from gmicloud.errors import WebhookVerificationError
from gmicloud.webhooks import unwrap, verify
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
OTHER = "whsec_" + "QUJD" * 8
VECTOR = (
    b'{"request_id":"req_1","gateway_request_id":"req_1","status":"OK","payload":{"video":{"url":"http://x/v.mp4"}}}'
)
NOW = 1_790_000_000
HEADERS = {
    "Webhook-Id": "msg_1",
    "Webhook-Timestamp": str(NOW),
    "Webhook-Signature": "v1,5bnYG6m78Qo1OEsIAW8c7qT+2959z2KlYAOshyFVtvg=",
}
EVENT = json.dumps(
    {
        "type": "request.success",
        "timestamp": "2026-09-21T14:13:20Z",
        "data": {
            "request_id": "r",
            "status": "success",
            "outcome": {"video_url": "https://v"},
            "metadata": {"shot": 3},
        },
    }
).encode()


def signed(body: bytes, secret: str = SECRET, message_id: str = "evt_r_3", at: int = NOW) -> dict[str, str]:
    """Headers made by an independent signer."""
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}


def test_the_published_vector_is_right() -> None:
    assert verify(VECTOR, HEADERS, SECRET, now=NOW) == "msg_1"
    assert verify(VECTOR.decode(), HEADERS, SECRET, now=NOW) == "msg_1"


def test_an_event_comes_as_an_object() -> None:
    event = unwrap(EVENT, signed(EVENT), SECRET, now=NOW)
    assert (event.id, event.type, event.data.status) == ("evt_r_3", "request.success", "success")
    assert (event.data.video_url, event.data.metadata) == ("https://v", {"shot": 3})


def test_while_a_secret_is_replaced_either_signature_and_either_secret_will_do() -> None:
    old, new = signed(EVENT, OTHER), signed(EVENT, SECRET)
    both = old | {"webhook-signature": f"{old['webhook-signature']} {new['webhook-signature']}"}
    assert verify(EVENT, both, SECRET, now=NOW)
    assert verify(EVENT, both, OTHER, now=NOW)
    assert verify(EVENT, old, [SECRET, OTHER], now=NOW)


@pytest.mark.parametrize("shift", [-300, 0, 300])
def test_clocks_may_differ_by_five_minutes(shift: int) -> None:
    assert verify(VECTOR, HEADERS, SECRET, now=NOW + shift)


@pytest.mark.parametrize("shift", [-301, 301, 10**9])
def test_an_old_delivery_is_refused(shift: int) -> None:
    with pytest.raises(WebhookVerificationError, match="too old"):
        verify(VECTOR, HEADERS, SECRET, now=NOW + shift)


@given(st.integers(0, len(VECTOR) - 1), st.integers(1, 255))
def test_no_changed_byte_passes(place: int, change: int) -> None:
    body = bytearray(VECTOR)
    body[place] ^= change
    with pytest.raises(WebhookVerificationError, match="signature is wrong"):
        verify(bytes(body), HEADERS, SECRET, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "１７９０"},
        {"Webhook-Timestamp": "9" * 500},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v2,5bnYG6m78Qo1OEsIAW8c7qT+2959z2KlYAOshyFVtvg="},
        {"Webhook-Signature": "v1,ümläut \ud800"},
    ],
)
def test_odd_headers_are_refused_with_the_one_error(change: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError):
        verify(VECTOR, HEADERS | change, SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_###", "nonsense!", []])
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(WebhookVerificationError) as caught:
        verify(VECTOR, HEADERS, secret, now=NOW)
    assert "###" not in str(caught.value)


@pytest.mark.parametrize("body", [b"[]", b"7", b"{}", b'{"data": 7}', b"no json"])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookVerificationError, match="not an event"):
        unwrap(body, signed(body), SECRET, now=NOW)
