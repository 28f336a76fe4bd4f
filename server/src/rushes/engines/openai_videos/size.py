"""From the words of a card (1280x720, 720P, 16:9) to a size that the server takes."""

import re
from fractions import Fraction

from rushes.engines.reading import Reading

MAX_SIDE = 4096
DEFAULT_SHORT = 480
_TIER = re.compile(r"(\d{3,4})\s*[pP]")
_SIZE = re.compile(r"(\d{2,5})\s*[xX*]\s*(\d{2,5})")
_RATIO = re.compile(r"(\d{1,2}(?:\.\d{1,3})?)\s*:\s*(\d{1,2}(?:\.\d{1,3})?)")
_WORDS = {"2k": 1440, "4k": 2160, "hd": 720, "fhd": 1080}


class Wishes:
    """What a payload says of its size: an exact one, a short side, a shape. The words may stand under any role."""

    def __init__(self, reading: Reading, default_tier: str) -> None:
        self.size: tuple[int, int] | None = None
        self.short = DEFAULT_SHORT
        self.ratio: Fraction | None = None
        self._read(default_tier.strip())
        for role in ("size", "resolution", "ratio"):
            value = reading.value(role)
            if value is None or value == "":
                continue
            if not self._read(str(value).strip()):
                reading.fault(role, "must be a size such as 832x480, a tier such as 480P or a shape such as 16:9")

    def _read(self, text: str) -> bool:
        if found := _SIZE.fullmatch(text):
            self.size = self.size or (int(found[1]), int(found[2]))
        elif found := _TIER.fullmatch(text):
            self.short = int(found[1])
        elif text.lower() in _WORDS:
            self.short = _WORDS[text.lower()]
        elif (found := _RATIO.fullmatch(text)) and float(found[1]) and float(found[2]):
            self.ratio = Fraction(found[1]) / Fraction(found[2])
        else:
            return text.lower() in ("auto", "adaptive", "source", "match_input_image")
        return True


def snapped(width: Fraction, height: Fraction, multiple: int) -> tuple[int, int]:
    """The nearest size whose sides are multiples; never below one of them."""
    return (max(1, round(width / multiple)) * multiple, max(1, round(height / multiple)) * multiple)


def size_of(short: int, ratio: Fraction, multiple: int) -> tuple[int, int]:
    """The size of a tier, whose short side names it, and a shape of width over height."""
    if ratio >= 1:
        return snapped(short * ratio, Fraction(short), multiple)
    return snapped(Fraction(short), short / ratio, multiple)
