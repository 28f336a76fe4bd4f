"""One short hash of everything that decides the bytes of a frame beside its plan."""

import hashlib
import json
from collections.abc import Mapping


def fingerprint(parts: Mapping[str, str]) -> str:
    """With the same plan and seed, the same fingerprint gives the same frames."""
    return f"diffusers-{hashlib.sha256(plain(parts).encode()).hexdigest()[:16]}"


def plain(value: Mapping[str, str]) -> str:
    """The same text for the same parts."""
    return json.dumps(dict(value), sort_keys=True, separators=(",", ":"))
