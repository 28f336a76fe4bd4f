"""The size of a render: tiers, ratios and exact sizes, from the words that the model families use.

Pure and light: the API process calls this at submit.
"""

import re
from dataclasses import dataclass
from math import sqrt

TIERS: dict[str, tuple[int, int]] = {
    "360P": (640, 360),
    "480P": (854, 480),
    "512P": (912, 512),
    "540P": (960, 540),
    "720P": (1280, 720),
    "768P": (1366, 768),
    "1080P": (1920, 1080),
}
"""Each tier's exact size at 16:9; turned for 9:16. Other shapes keep its area."""

LARGER = ("1440P", "2K", "2160P", "4K")
"""Tiers that are accepted and drawn at 1080P."""

MAX_PIXELS = 1920 * 1088
MAX_RATIO = 4.0
MIN_SIDE = 64
WIDE = 16 / 9

_SOURCE = ("adaptive", "auto", "source", "original", "match_input_image", "keep")
_NAMED = {"landscape": (16.0, 9.0), "portrait": (9.0, 16.0), "square": (1.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What one size word asks for; exactly one field is set."""

    size: tuple[int, int] | None = None
    tier: str | None = None
    ratio: tuple[float, float] | None = None
    source: bool = False


def read_wish(value: object) -> Wish:
    """What "720p", 1080, "4K", "832x480", "1280*720", "9:16" or "adaptive" asks for.

    Raises ValueError with a sentence that says what would be right.
    """
    text = str(value).strip().lower()
    if text in _SOURCE:
        return Wish(source=True)
    if text in _NAMED:
        return Wish(ratio=_NAMED[text])
    if pair := re.fullmatch(r"(\d{1,5})\s*[x*×]\s*(\d{1,5})", text):
        return _read_pair(int(pair[1]), int(pair[2]))
    if pair := re.fullmatch(r"(\d{1,5}(?:\.\d{1,4})?)\s*[:/]\s*(\d{1,5}(?:\.\d{1,4})?)", text):
        return Wish(ratio=_checked_ratio(float(pair[1]), float(pair[2])))
    tier = text.upper() if text.endswith(("p", "k")) else f"{text}P"
    if tier in TIERS or tier in LARGER:
        return Wish(tier=tier)
    raise ValueError(f"must be one of {', '.join((*TIERS, *LARGER))}, a ratio such as 16:9 or a size such as 1280x720")


def _read_pair(width: int, height: int) -> Wish:
    if max(width, height) <= 32:  # "16x9" is a ratio
        return Wish(ratio=_checked_ratio(width, height))
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"both sides must be at least {MIN_SIDE} pixels")
    _checked_ratio(width, height)
    return Wish(size=(width, height))


def _checked_ratio(width: float, height: float) -> tuple[float, float]:
    if min(width, height) <= 0 or max(width / height, height / width) > MAX_RATIO:
        raise ValueError(f"the longer side must be at most {MAX_RATIO:g} times the shorter one")
    return width, height


def size_of(tier: str, ratio: float) -> tuple[int, int]:
    """Width and height for a tier of TIERS and a ratio of width to height.

    Within 2 % of 16:9 or 9:16 it is the tier's exact size. Every other shape keeps the tier's area, both sides being
    multiples of 16. Ratios beyond 4:1 are cut to it.
    """
    wide, low = TIERS[tier]
    if abs(ratio / WIDE - 1) <= 0.02:
        return wide, low
    if abs(ratio * WIDE - 1) <= 0.02:
        return low, wide
    ratio = min(max(ratio, 1 / MAX_RATIO), MAX_RATIO)
    area = wide * low
    return round(sqrt(area * ratio) / 16) * 16, round(sqrt(area / ratio) / 16) * 16


def nearest_tier(width: int, height: int) -> str:
    """The tier whose area is closest to that of an exact size."""
    return min(TIERS, key=lambda tier: abs(TIERS[tier][0] * TIERS[tier][1] - width * height))
