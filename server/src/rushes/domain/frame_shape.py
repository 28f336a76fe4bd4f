"""Sizes ("1280x720") and ratios ("16:9") as words for one thing: the shape of a frame."""

import re
from collections.abc import Sequence
from typing import Final

NEAR: Final = 0.03
"""Shapes that differ by less are one shape: 1792x1024 is sold as 16:9."""

_PAIR: Final = re.compile(r"\s*(\d{1,5})\s*[x×X*:/]\s*(\d{1,5})\s*", re.ASCII)


def pair(text: str) -> tuple[int, int] | None:
    """The two numbers of "1280x720", "1280*720" or "16:9", both above 0, or None."""
    match = _PAIR.fullmatch(text[:32])
    if match is None or int(match[1]) == 0 or int(match[2]) == 0:
        return None
    return int(match[1]), int(match[2])


def size_for_ratio(ratio: str, sizes: Sequence[str], usual: str) -> str | None:
    """The size of that shape whose area is nearest to the usual size's, or None if no size has the shape."""
    shape, reference = pair(ratio), pair(usual)
    fitting = [(size, found) for size in sizes if shape and (found := pair(size)) and _alike(found, shape)]
    area = reference[0] * reference[1] if reference else 0
    ranked = sorted(fitting, key=lambda item: abs(item[1][0] * item[1][1] - area))
    return ranked[0][0] if ranked else None


def ratio_of(size: str, ratios: Sequence[str]) -> str | None:
    """The ratio of the list that a size has, or None."""
    shape = pair(size)
    return next((ratio for ratio in ratios if shape and (found := pair(ratio)) and _alike(shape, found)), None)


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < NEAR
