"""Signed links: HMAC-SHA256 over method, object, expiry and key id. Whoever holds one needs no credential."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlencode


class Verdict(Enum):
    """What a link is worth."""

    GOOD = auto()
    EXPIRED = auto()
    FORGED = auto()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the table; keys rotate by id."""

    kid: str
    secret: bytes


class Links:
    """Signs with the newest key, believes every key given. `now` is unix seconds throughout."""

    def __init__(self, keys: list[SigningKey], public_url: str) -> None:
        self._newest = keys[-1]
        self._kid = urlencode({"kid": self._newest.kid})
        self._keys = {key.kid: key.secret for key in keys}
        self._public_url = public_url.rstrip("/")

    @property
    def public_url(self) -> str:
        return self._public_url

    def sign(self, path: str, *, method: str, expires: int) -> str:
        """An absolute URL for `path` that works until `expires`."""
        signature = self._signature(self._newest.secret, method, path, expires, self._newest.kid)
        return f"{self._public_url}{path}?expires={expires}&{self._kid}&signature={signature}"

    def judge(self, path: str, query: Mapping[str, str], *, method: str, now: float) -> Verdict:
        """Whether a link that came in was made by us for this path and method, and still holds."""
        secret = self._keys.get(query.get("kid", ""))
        expires = query.get("expires", "")
        if secret is None or not expires.isascii() or not expires.isdigit() or len(expires) > 12:
            return Verdict.FORGED
        wanted = self._signature(secret, method, path, int(expires), query["kid"])
        if not hmac.compare_digest(wanted.encode(), query.get("signature", "").encode()):
            return Verdict.FORGED
        return Verdict.GOOD if now < int(expires) else Verdict.EXPIRED

    @staticmethod
    def _signature(secret: bytes, method: str, path: str, expires: int, kid: str) -> str:
        # HEAD reads what GET reads, so one link serves both.
        verb = "GET" if method == "HEAD" else method
        return hmac.new(secret, f"{verb}\n{path}\n{expires}\n{kid}".encode(), hashlib.sha256).hexdigest()
