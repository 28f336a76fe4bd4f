"""T4: a webhook that was forged, changed or replayed is told from ours, by our verifier and by an independent one."""

import base64
import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from gmicloud import webhooks as sdk
from gmicloud.errors import WebhookVerificationError
from hypothesis import given, settings
from hypothesis import strategies as st
from rushes.queue.signing import new_secret, sign
from standardwebhooks import Webhook
from standardwebhooks import WebhookVerificationError as StandardError

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
VECTOR = (
    b'{"request_id":"req_1","gateway_request_id":"req_1","status":"OK","payload":{"video":{"url":"http://x/v.mp4"}}}'
)
NOW = 1_790_000_000


def headers(event_id: str, timestamp: int, signature: str) -> dict[str, str]:
    return {"webhook-id": event_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_vector_is_signed_to_the_letter() -> None:
    assert sign([SECRET], "msg_1", NOW, VECTOR) == "v1,5bnYG6m78Qo1OEsIAW8c7qT+2959z2KlYAOshyFVtvg="


def test_a_new_secret_has_256_random_bits() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


@settings(max_examples=50)
@given(body=st.dictionaries(st.text(), st.text() | st.integers()).map(lambda value: json.dumps(value).encode()))
def test_whatever_is_signed_is_accepted_by_the_independent_verifier_and_by_ours(body: bytes) -> None:
    now = int(time.time())
    secret = new_secret()
    sent = headers("evt_1", now, sign([secret], "evt_1", now, body))
    assert Webhook(secret).verify(body, sent) == json.loads(body)
    assert sdk.verify(body, sent, secret) == "evt_1"


def _changed(**parts: Any) -> tuple[bytes, dict[str, str]]:
    """A good delivery of now with some parts replaced after it was signed."""
    now = int(time.time()) + parts.get("age", 0)
    sent = headers("evt_1", now, sign([SECRET], "evt_1", now, b'{"a":1}'))
    return parts.get("body", b'{"a":1}'), {**sent, **parts.get("headers", {})}


@pytest.mark.parametrize(
    "parts",
    [
        {"body": b'{"a":2}'},
        {"body": b'{"a":1} '},
        {"headers": {"webhook-id": "evt_2"}},
        {"headers": {"webhook-timestamp": str(int(time.time()) - 1)}},
        {"headers": {"webhook-timestamp": "soon"}},
        {"headers": {"webhook-timestamp": ""}},
        {"headers": {"webhook-signature": "v1,AAAA"}},
        {"headers": {"webhook-signature": "v2,5bnYG6m78Qo1OEsIAW8c7qT+2959z2KlYAOshyFVtvg="}},
        {"headers": {"webhook-signature": "garbage"}},
        {"headers": {"webhook-signature": ""}},
        {"age": -301},
        {"age": 301},
    ],
    ids=lambda parts: re.sub(r"\d{10}", "a second before", str(parts)),
)
def test_anything_changed_or_out_of_time_is_refused_with_one_kind_of_error(parts: dict[str, Any]) -> None:
    body, sent = _changed(**parts)
    with pytest.raises(WebhookVerificationError):
        sdk.verify(body, sent, SECRET)
    with pytest.raises((StandardError, ValueError)):  # it raises a bare ValueError for a malformed header
        Webhook(SECRET).verify(body, sent)


def test_while_a_secret_is_replaced_either_one_verifies() -> None:
    now = int(time.time())
    old, new, other = new_secret(), new_secret(), new_secret()
    sent = headers("evt_1", now, sign([new, old], "evt_1", now, b"{}"))
    assert len(sent["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(b"{}", sent)
        sdk.verify(b"{}", sent, secret)
    with pytest.raises(StandardError):
        Webhook(other).verify(b"{}", sent)


def test_skew_within_five_minutes_is_allowed() -> None:
    for age in (-timedelta(seconds=290), timedelta(seconds=290)):
        body, sent = _changed(age=int(age.total_seconds()))
        sdk.verify(body, sent, SECRET)
        Webhook(SECRET).verify(body, sent)
