"""Whether a call comes from our own page: the one rule against cross-site requests, for the API and for page forms.

Browsers say themselves where a call comes from (Fetch Metadata, W3C), and programs have no cookie that another site
could make them send. So no token is needed; Go's net/http.CrossOriginProtection and Datasette judge alike. A sibling
subdomain, and another port of the same host, count as strangers.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})
"""`none`: the user did it, by the address bar or a bookmark."""


def is_from_own_page(
    method: str, headers: Mapping[str, str], *, with_cookie: bool, own_origins: Collection[str] = ()
) -> bool:
    """Judge one call. `headers` has lower-case names; `own_origins` are ours beside the one that Host names.

    `with_cookie`: whether the call brings our cookie. A call that says nothing of where it comes from and brings one
    may only read. For page routes only unsafe methods are worth asking about: anybody may link to a page.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in OWN_SITES
    origin = headers.get("origin")
    if origin is not None:
        return _is_own(origin, headers.get("host", ""), own_origins)
    return not with_cookie or method in SAFE_METHODS


def _is_own(origin: str, host: str, own_origins: Collection[str]) -> bool:
    """Compared by host and port: behind a proxy that ends TLS we do not know our own scheme."""
    ours = {host.lower(), *(urlsplit(own).netloc.lower() for own in own_origins)} - {""}
    try:
        return urlsplit(origin).netloc.lower() in ours
    except ValueError:
        return False
