"""The built-in receiver of webhooks: an address of our own that keeps what we sent there, for its organisation to see.

It is no open store. Only bodies that carry a good signature of that organisation's secrets are kept, a bounded number
of them for a day; whatever else comes is counted. Our own sender hands over directly instead of dialling: the address
may lie on loopback or in a private network, where no customer's address may lead.
"""

import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rushes.artifacts.links import Links
from rushes.egress import Posted
from rushes.queue.signing import is_signed
from rushes.store.catchers import Catchers
from rushes.store.database import Row
from rushes.store.webhook_secrets import WebhookSecrets

PATH = "/catch/"
MAX_BODY = 20_000
"""Bytes; no webhook of ours is longer."""
_KEPT = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_ID = re.compile(r"[!-~]{1,128}")


class Catcher:
    """Receives for every organisation that has made a catcher."""

    def __init__(self, catchers: Catchers, secrets_of: WebhookSecrets, links: Links) -> None:
        self._catchers = catchers
        self._secrets = secrets_of
        self._start = links.public_url + PATH

    async def make(self, org_id: UUID) -> Row:
        """The organisation's catcher, made if there is none."""
        return await self._catchers.make(org_id, secrets.token_urlsafe(24))

    def address(self, row: Row) -> str:
        """Where a catcher receives."""
        return f"{self._start}{row['token']}"

    def token_in(self, url: str) -> str | None:
        """The token, if this is the address of a catcher of ours, exactly; None for every other URL."""
        token = url.removeprefix(self._start)
        return token if token != url and _TOKEN.fullmatch(token) else None

    async def receive(self, token: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Keep a delivery that is signed: 204. 400 for what is not, 404 for an address that nobody has."""
        row = await self._catchers.by_token(token) if _TOKEN.fullmatch(token) else None
        if row is None:
            return Posted(404, b"no catcher has this address")
        kept = {name.lower(): value for name, value in headers.items() if name.lower() in _KEPT}
        if not await self._is_good(row["org_id"], kept, body):
            await self._catchers.refuse(row["org_id"])
            return Posted(400, b"the signature is not one of this organisation's")
        await self._catchers.keep(row["org_id"], kept["webhook-id"], kept, body.decode())
        return Posted(204, b"")

    async def _is_good(self, org_id: UUID, headers: Mapping[str, Any], body: bytes) -> bool:
        if len(body) > MAX_BODY or not _ID.fullmatch(headers.get("webhook-id", "")):
            return False
        signing = [row["secret"] for row in await self._secrets.in_force(org_id)]
        return is_signed(signing, headers, body, time.time())
