"""Whether the facts of a file keep to what a model card allows, in sentences for the customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rushes.domain.errors import ParameterFault
from rushes.domain.model_card import MediaLimits, MediaType
from rushes.media.sniff import FORMATS, MediaKind, named

MEGABYTE = 1024 * 1024
MAX_BYTES: dict[MediaType, int] = {"image": 10 * MEGABYTE, "audio": 15 * MEGABYTE, "video": 200 * MEGABYTE}
NO_LIMITS = MediaLimits()


class MediaRefused(Exception):
    """An input that cannot be used; `fault` names the parameter and says what would be right."""

    def __init__(self, fault: ParameterFault) -> None:
        super().__init__(f"{fault.param} ({fault.message})")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """A checked input. Sides in pixels as shown (turned upright), 0 for sound; seconds are 0 for pictures."""

    kind: MediaType
    format: str
    content_type: str
    bytes: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    has_audio: bool = False


def refuse(field: str, message: str, *, allowed: Any = None, given: str | None = None) -> MediaRefused:
    """The error for one input: `message` begins with "Must" where a rule was broken."""
    return MediaRefused(ParameterFault(field, "media", message, allowed, given))


def judge_bytes(size: int, kind: MediaType, limits: MediaLimits | None, field: str) -> None:
    """Raises MediaRefused for an empty or too large file. Can be asked before a file is fetched or decoded."""
    most = max_bytes(kind, limits)
    if size == 0:
        raise refuse(field, f"Must be {kind}, got an empty file")
    if size > most:
        given = f"{size / MEGABYTE:.1f} MB"
        raise refuse(field, f"Must be at most {most / MEGABYTE:g} MB, got {given}", allowed=most, given=given)


def max_bytes(kind: MediaType, limits: MediaLimits | None) -> int:
    """The most bytes a file of this kind may have: the card's figure, else ours."""
    return (limits and limits.max_bytes) or MAX_BYTES[kind]


def judge_format(found: MediaKind | None, kind: MediaType, limits: MediaLimits | None, field: str) -> MediaKind:
    """The format, if it is one of the card's (or of ours, where the card names none). Raises MediaRefused."""
    listed = [named(text) for text in limits.formats] if limits else []
    allowed = [each.name for each in listed if each] or [each.name for each in FORMATS.values() if each.kind == kind]
    if found is None or found.name not in allowed or found.kind != kind:
        given = found.name if found else "something else"
        raise refuse(field, f"Must be {listing(allowed)}, got {given}", allowed=allowed, given=given)
    return found


def judge_facts(facts: MediaFacts, limits: MediaLimits | None, field: str) -> MediaFacts:
    """The same facts, if sides, shape and length are within the card's limits. Raises MediaRefused."""
    limits = limits or NO_LIMITS
    if facts.width:
        _judge_sides(facts, limits, field)
    if facts.kind != "image":
        _judge_seconds(facts, limits, field)
    return facts


def _judge_seconds(facts: MediaFacts, limits: MediaLimits, field: str) -> None:
    # Encoders cut where a packet ends, so a file of "3 s" may be a little shorter.
    low, high = (limits.min_seconds or 0) - 0.05, (limits.max_seconds or float("inf")) + 0.05
    if not low <= facts.seconds <= high:
        given = f"{facts.seconds:.1f} s"
        rule = _between(limits.min_seconds, limits.max_seconds)
        allowed = [limits.min_seconds, limits.max_seconds]
        raise refuse(field, f"Must last {rule} s, got {given}", allowed=allowed, given=given)


def _judge_sides(facts: MediaFacts, limits: MediaLimits, field: str) -> None:
    short, long = sorted((facts.width, facts.height))
    given = f"{facts.width}x{facts.height}"
    if short < (limits.min_side or 0) or long > (limits.max_side or long):
        rule = _between(limits.min_side, limits.max_side)
        allowed = [limits.min_side, limits.max_side]
        raise refuse(field, f"Must be {rule} px a side, got {given}", allowed=allowed, given=given)
    if limits.max_aspect and long > short * limits.max_aspect:
        rule = f"Longer side must be at most {limits.max_aspect:g} times the shorter"
        raise refuse(field, f"{rule}, got {given}", allowed=limits.max_aspect, given=given)


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def listing(names: Sequence[str]) -> str:
    """Names in a sentence: "jpg, png or gif"."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
