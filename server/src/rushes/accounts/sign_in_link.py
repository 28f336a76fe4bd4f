"""One-time links: whoever opens one is signed in to the web page, once and within a quarter of an hour."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from rushes.store.page_sessions import PageSessions

PREFIX = "rsl_"
LIFE = timedelta(minutes=15)
PATH = "/sign-in"
"""The page that a link leads to. It asks for a click: programs that look at links in messages must not use them up."""


async def new_link(store: PageSessions, user_id: UUID) -> str:
    """The token of a new link for one person; stored as its SHA-256."""
    token = PREFIX + secrets.token_urlsafe(32)
    await store.add_link(digest(token), user_id, LIFE)
    return token


def link_url(address: str, token: str) -> str:
    """What to open in a browser, on the platform at `address`."""
    return f"{address}{PATH}?link={token}"


def digest(token: str) -> bytes:
    """What is stored of a link, or of a page's cookie."""
    return hashlib.sha256(token.encode()).digest()
