"""What a browser may do with a page: the strictest policy under which it works (PLAYGROUND.md section 5)."""

from collections.abc import Mapping
from typing import Final

TRUSTED_TYPES_POLICY: Final = "rushes"


def headers(media_origin: str = "") -> Mapping[str, str]:
    """The headers of every page. `media_origin` is an object store that the browser fetches from by itself."""
    media = f" {media_origin}" if media_origin else ""
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob:{media}",
            f"media-src 'self' blob:{media}",
            "font-src 'self'",
            f"connect-src 'self'{media}",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            f"trusted-types {TRUSTED_TYPES_POLICY}",
        )
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "private, no-cache",
    }
