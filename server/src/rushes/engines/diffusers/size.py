"""The size of a render: what a customer's words ask for, and the size that a model can make of it. Free of torch."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Size = tuple[int, int]
"""Width and height in pixels."""

TIERS: Final[Mapping[str, Size]] = {
    "360P": (640, 360),
    "480P": (854, 480),
    "512P": (910, 512),
    "540P": (960, 540),
    "704P": (1280, 704),
    "720P": (1280, 720),
    "768P": (1366, 768),
    "1080P": (1920, 1080),
    "1440P": (2560, 1440),
    "2160P": (3840, 2160),
}
"""Each tier at 16:9; other shapes keep its area."""

_LARGE: Final = {"2K": "1440P", "4K": "2160P"}
_SOURCE: Final = ("adaptive", "auto", "source", "original", "match_input_image", "keep")
_NAMED: Final = {"landscape": 16 / 9, "portrait": 9 / 16, "square": 1.0}
WIDE: Final = 16 / 9
NEAR: Final = 1.04
"""Shapes within this factor of each other are the same shape: a published size is taken for them."""
MOST_CROP: Final = 16
"""A side is rounded up and cropped again where that costs at most so many pixels: 1080 becomes 1088, 2160 2176."""
LONGEST: Final = 4.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What one word of a customer asks for; at most one field is set, none for the shape of the picture."""

    size: Size | None = None
    tier: str | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """The size that is delivered, and the one that is rendered and cropped at its centre."""

    delivered: Size
    rendered: Size


def read_wish(value: object) -> Wish:
    """What "720p", 480, "832x480", "1280*720", "9:16" or "auto" asks for. Raises ValueError saying what would do."""
    text = str(value).strip().lower()
    if text in _SOURCE:
        return Wish()
    if text in _NAMED:
        return Wish(ratio=_NAMED[text])
    if pair := re.fullmatch(r"(\d{1,5})\s*([x*×:/])\s*(\d{1,5})", text):
        return _read_pair(int(pair[1]), int(pair[3]), exact=pair[2] not in ":/")
    tier = text.upper() if text.endswith(("p", "k")) else f"{text}P"
    tier = _LARGE.get(tier, tier)
    if tier in TIERS:
        return Wish(tier=tier)
    raise ValueError(f"must be one of {', '.join(TIERS)}, a ratio such as 16:9 or a size such as 1280x720")


def _read_pair(width: int, height: int, *, exact: bool) -> Wish:
    if min(width, height) == 0 or max(width / height, height / width) > LONGEST:
        raise ValueError(f"the longer side must be at most {LONGEST:g} times the shorter one")
    if exact and max(width, height) > 32:  # "16x9" is a ratio
        return Wish(size=(width, height))
    return Wish(ratio=width / height)


def fit_exact(size: Size, multiple: int) -> Fit:
    """An exact size, made even; it is rendered on the next larger grid."""
    width, height = (max(2, side // 2 * 2) for side in size)
    return Fit((width, height), (_up(width, multiple), _up(height, multiple)))


def fit_tier(tier: str, ratio: float, published: Iterable[Size], multiple: int) -> Fit:
    """A size for a tier and a shape: a published one of nearly that shape, else the largest in the tier's area.

    A side that lies at most MOST_CROP below the grid is rendered larger and cropped.
    """
    ratio = min(max(ratio, 1 / LONGEST), LONGEST)
    near = [size for size in published if _factor(size[0] / size[1], ratio) <= NEAR]
    if near:
        return fit_exact(min(near, key=lambda size: _factor(size[0] / size[1], ratio)), multiple)
    wide, low = TIERS[tier]
    if _factor(ratio, WIDE) <= NEAR:
        return _fit_nominal((wide, low), multiple)
    if _factor(ratio, 1 / WIDE) <= NEAR:
        return _fit_nominal((low, wide), multiple)
    size = _largest(wide * low, ratio, multiple)
    return Fit(size, size)


def nearest_tier(size: Size) -> str:
    """The tier whose area is closest to that of an exact size."""
    return min(TIERS, key=lambda tier: abs(math.log(math.prod(TIERS[tier]) / math.prod(size))))


def _fit_nominal(size: Size, multiple: int) -> Fit:
    if all(_up(side, multiple) - side <= MOST_CROP for side in size):
        return fit_exact(size, multiple)
    largest = _largest(math.prod(size), size[0] / size[1], multiple)
    return Fit(largest, largest)


def _largest(area: int, ratio: float, multiple: int) -> Size:
    """The sides on the grid, of at most this area, whose shape is closest; of equals the larger."""
    ideal = math.sqrt(area / ratio) / multiple
    candidates: list[Size] = []
    for rows in {max(1, math.floor(ideal)), math.ceil(ideal)}:
        for columns in {max(1, math.floor(rows * ratio)), math.ceil(rows * ratio)}:
            candidates.append((columns * multiple, rows * multiple))
    fitting = [size for size in candidates if math.prod(size) <= area] or [min(candidates)]
    return min(fitting, key=lambda size: (round(_factor(size[0] / size[1], ratio), 3), -math.prod(size)))


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def _factor(one: float, other: float) -> float:
    return max(one / other, other / one)
