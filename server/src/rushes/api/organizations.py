"""An organisation's keys and webhook secrets, for people only: a key that could make keys would outlive its end."""

import re
import time
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.accounts.keys import ID_LENGTH, PREFIX, SCOPES, new_key
from rushes.api.answers import reply
from rushes.api.auth import acting_for, person, require_writer
from rushes.api.body import json_object
from rushes.api.iam import NO_STORE
from rushes.api.query import uuid_of
from rushes.api.services import services_of
from rushes.domain.errors import ApiError
from rushes.queue.signing import new_secret
from rushes.store.database import Row
from rushes.store.sessions import Membership, Session

MAX_NAME = 100
MAX_MICRO = 10**15
LAST_MOMENT = 253_402_300_799
"""The last second of the year 9999, beyond which times cannot be written."""
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]{1,100}")
_KEY_ID = re.compile(rf"[0-9A-Za-z]{{{ID_LENGTH}}}")


async def create_key(request: Request) -> Response:
    """POST api-keys: a key of this organisation, shown once."""
    session, place = await _place(request, write=True)
    body = await json_object(request)
    key = new_key()
    await services_of(request).accounts.add_key(
        place.org_id,
        key_id=key.key_id,
        secret_hash=key.secret_hash,
        last4=key.last4,
        name=_name(body),
        scopes=_scopes(body),
        user_id=session.user_id,
        expires_at=_expiry(body),
        spend_limit_micro=_spend_limit(body),
    )
    return reply({"key": key.key, "id": key.key_id, "partialKey": _partial(key.key_id, key.last4)}, headers=NO_STORE)


async def list_keys(request: Request) -> Response:
    """GET api-keys: what is known of each, never the key itself."""
    _, place = await _place(request)
    rows = await services_of(request).accounts.keys(place.org_id)
    return reply({"keys": [_key_object(row) for row in rows]}, headers=NO_STORE)


async def revoke_key(request: Request) -> Response:
    """DELETE api-keys/{id}: it stops working within a second; an owner may revoke every key, a member their own."""
    session, place = await _place(request, write=True)
    services = services_of(request)
    key_id = request.path_params["key_id"]
    whose = None if place.role == "owner" else session.user_id
    if not _KEY_ID.fullmatch(key_id) or not await services.accounts.revoke_key(key_id, place.org_id, whose):
        raise ApiError("not_found", "API key not found")
    services.keys.forget(key_id)
    return reply({})


async def create_webhook_secret(request: Request) -> Response:
    """POST webhook-secrets: a new secret, shown once; the one before it goes on signing beside it."""
    _, place = await _place(request, write=True)
    secret = new_secret()
    row = await services_of(request).webhook_secrets.add(place.org_id, secret)
    return reply({**_secret_object(row), "secret": secret}, headers=NO_STORE)


async def list_webhook_secrets(request: Request) -> Response:
    """GET webhook-secrets: those in force, newest first, without the secrets."""
    _, place = await _place(request)
    rows = await services_of(request).webhook_secrets.in_force(place.org_id)
    return reply({"secrets": [_secret_object(row) for row in rows]}, headers=NO_STORE)


async def revoke_webhook_secret(request: Request) -> Response:
    """DELETE webhook-secrets/{id}: it signs no more; the last one stays until another is made."""
    _, place = await _place(request, write=True)
    secrets, wanted = services_of(request).webhook_secrets, uuid_of(request.path_params["secret_id"])
    known = {row["secret_id"] for row in await secrets.in_force(place.org_id)}
    if wanted is None or wanted not in known:
        raise ApiError("not_found", "Webhook secret not found")
    if not await secrets.revoke(place.org_id, wanted):
        raise ApiError("invalid_request", "This is the only secret in force, make a new one first")
    return reply({})


async def _place(request: Request, *, write: bool = False) -> tuple[Session, Membership]:
    """Who calls, and their place in the organisation of the path. Raises ApiError 401, 403 or 404."""
    session = await person(request)
    place = acting_for(session, request.path_params["org_id"])
    if write:
        require_writer(place)
    return session, place


def _name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip() or not _NAME.fullmatch(name.strip()):
        raise ApiError("invalid_request", f"Invalid name, must be a line of 1 to {MAX_NAME} characters", param="name")
    return name.strip()


def _scopes(body: dict[str, Any]) -> list[str]:
    """One scope, or several separated by blanks or commas; none given is the request queue's."""
    given = body.get("scope")
    found = re.split(r"[\s,]+", given.strip()) if isinstance(given, str) and given.strip() else [SCOPES[0]]
    if not (given is None or isinstance(given, str)) or not all(scope in SCOPES for scope in found):
        raise ApiError("invalid_request", f"Invalid scope, must be among {', '.join(SCOPES)}", param="scope")
    return [*dict.fromkeys(found)]


def _expiry(body: dict[str, Any]) -> datetime | None:
    value = body.get("expiresAt")
    if value is None or value == 0:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not time.time() < value <= LAST_MOMENT:
        raise ApiError(
            "invalid_request",
            "Invalid expiresAt, must be unix seconds in the future, or 0 for never",
            param="expiresAt",
        )
    return datetime.fromtimestamp(value, UTC)


def _spend_limit(body: dict[str, Any]) -> int | None:
    value = body.get("spendLimitMicroUsd")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_MICRO:
        raise ApiError(
            "invalid_request",
            "Invalid spendLimitMicroUsd, must be a whole number of micro-dollars, or null for no limit",
            param="spendLimitMicroUsd",
        )
    return value


def _partial(key_id: str, last4: str) -> str:
    return f"{PREFIX}{key_id}...{last4}"


def _key_object(row: Row) -> dict[str, Any]:
    return {
        "id": row["key_id"],
        "name": row["name"],
        "type": "",
        "scope": " ".join(row["scopes"]),
        "partialKey": _partial(row["key_id"], row["last4"]),
        "expiresAt": _seconds(row["expires_at"]),
        "createdAt": _seconds(row["created_at"]),
        "lastUsedAt": _seconds(row["last_used_at"]),
        "spendLimitMicroUsd": row["spend_limit_micro"],
        "spentMicroUsd": row["spent_micro"],
        "owner": _owner(row),
    }


def _owner(row: Row) -> dict[str, str] | None:
    """Null for a key that an operator made."""
    if row["user_id"] is None:
        return None
    names = {"firstName": row["first_name"], "lastName": row["last_name"]}
    return {"id": str(row["user_id"]), "email": row["email"], **names}


def _secret_object(row: Row) -> dict[str, Any]:
    return {"id": str(row["secret_id"]), "createdAt": _seconds(row["created_at"])}


def _seconds(moment: datetime | None) -> int:
    """Unix seconds, 0 for never, as the published SDK reads them."""
    return int(moment.timestamp()) if moment else 0
