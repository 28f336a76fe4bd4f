"""The cookie of the web page: its name, and the header that sets or clears it."""

import re
from urllib.parse import urlsplit

SECURE_NAME = "__Host-rushes"
"""Browsers take this prefix only from https, for exactly this host (RFC 6265bis, section 4.1.3.2)."""
PLAIN_NAME = "rushes"
"""Over http on the loopback interface."""
_LOOPBACK = re.compile(r"localhost|[\w-]+\.localhost|127(\.\d{1,3}){3}|\[::1\]", re.IGNORECASE)


def cookie_name(scheme: str, host: str, public_url: str = "") -> str | None:
    """The name to use for a call to `host` (the header); None where a cookie would cross a network in the clear.

    Where the operator says that customers come by https, they do, whatever the proxy makes of it.
    """
    if scheme == "https" or public_url.lower().startswith("https:"):
        return SECURE_NAME
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return None
    return PLAIN_NAME if _LOOPBACK.fullmatch(f"[{name}]" if ":" in name else name) else None


def set_cookie(name: str, token: str, seconds: int) -> str:
    """The value of Set-Cookie; an empty token and 0 seconds clear it."""
    secure = "; Secure" if name == SECURE_NAME else ""
    return f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
