"""Checking that a webhook came from the server and is fresh (Standard Webhooks: HMAC-SHA256 over id.timestamp.body)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from gmicloud._internal._json import as_object
from gmicloud._internal._models import GetRequestResponse, Record
from gmicloud.errors import WebhookVerificationError

TOLERANCE = 300.0


class WebhookEvent(Record):
    """A delivery that can be trusted. `id` is the same on every delivery of one event: use it to act once."""

    id: str = ""
    type: str = ""
    timestamp: Any = None
    data: GetRequestResponse = Field(default_factory=lambda: GetRequestResponse(request_id=""))


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> str:
    """The id of a delivery whose signature and age are right.

    `body` must be the bytes as received, before any parsing. `secret` is `whsec_...`, or several while one is being
    replaced. `tolerance` is the greatest difference of clocks in seconds; `now` is unix seconds, for tests.

    Raises WebhookVerificationError for anything else; answer such a call with 400 and do nothing.
    """
    raw = body.encode() if isinstance(body, str) else bytes(body)
    given = {name.lower(): value for name, value in headers.items()}
    message_id, stamp, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and stamp and signatures):
        raise WebhookVerificationError("the headers webhook-id, webhook-timestamp and webhook-signature are needed")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        raise WebhookVerificationError("webhook-timestamp is not a number of seconds")
    if abs((time.time() if now is None else now) - int(stamp)) > tolerance:
        raise WebhookVerificationError("the webhook is too old or from the future; are both clocks right?")
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    signed = f"{message_id}.{stamp}.".encode() + raw
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    offered = [one[3:].encode("utf-8", "replace") for one in signatures.split(" ") if one.startswith("v1,")]
    if not any(hmac.compare_digest(one, other) for one in offered for other in expected):
        raise WebhookVerificationError("the webhook's signature is wrong; is the secret right and the body unchanged?")
    return message_id


def unwrap(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> WebhookEvent:
    """The event in a delivery, once `verify` has passed. Raises WebhookVerificationError."""
    message_id = verify(body, headers, secret, tolerance=tolerance, now=now)
    return _event(body, message_id)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise WebhookVerificationError("the secret must look like whsec_ and base64") from None
    return key


def _event(raw: bytes | str, message_id: str) -> WebhookEvent:
    try:
        body = as_object(json.loads(raw))
    except (ValueError, RecursionError):
        body = None
    data = as_object(body.get("data")) if body is not None else None
    if body is None or data is None:
        raise WebhookVerificationError("the webhook's body is not an event")
    return WebhookEvent.model_validate({**body, "id": message_id, "data": {"request_id": "", **data}})
