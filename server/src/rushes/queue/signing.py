"""Signatures of webhooks, as in Standard Webhooks 1.0."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

SKEW_SECONDS = 300


def new_secret() -> str:
    """A secret to sign with: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(signing: Iterable[str], event_id: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature: one signature for each secret, separated by spaces (Standard Webhooks 1.0)."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(base64.b64decode(text.removeprefix("whsec_")), signed, hashlib.sha256) for text in signing)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def delivery_headers(signing: Iterable[str], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What goes with a body: its type, the event's id, the time and the signatures."""
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(signing, event_id, timestamp, body),
    }


def is_signed(signing: Iterable[str], headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether one of the secrets signed this body under these headers, within the skew that receivers allow."""
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now - int(stamp)) > SKEW_SECONDS:
        return False
    given = headers.get("webhook-signature", "").split()
    wanted = sign(signing, headers.get("webhook-id", ""), int(stamp), body).split()
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given)
