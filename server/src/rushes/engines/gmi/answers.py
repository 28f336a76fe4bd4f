"""What an upstream's records say, in every shape they come in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from rushes.domain.errors import FAILURES
from rushes.engines.engine import EngineError, InvalidInput, OutOfMemory, UpstreamError
from rushes.engines.server import objects, one_line

Record = Mapping[str, Any]
_POLICY = re.compile(r"content.policy|safety|moderation|sensitive|nsfw|prohibited", re.IGNORECASE)
_BAD_REQUEST = re.compile(r"Backend error \(4(?:00|13|22)\)|price not found|invalid payload", re.IGNORECASE)
_NO_ACCESS = re.compile(r"Backend error \(40[134]\)", re.IGNORECASE)
_OUR_CODES = frozenset(FAILURES)


def video_link(record: Record) -> str | None:
    """Where the video of a finished record is."""
    outcome = _mapping(record.get("outcome"))
    links = [outcome.get("video_url")]
    for key in ("media_urls", "medias"):
        links += [item.get("url") for item in objects(outcome, key)]
    links.append(record.get("video_url"))
    thumbnail = outcome.get("thumbnail_image_url")
    if isinstance(thumbnail, str) and thumbnail.split("?")[0].lower().endswith(".mp4"):
        links.append(thumbnail)  # some models answer so
    return next((link for link in links if isinstance(link, str) and link), None)


def failure(record: Record, *, ours: bool) -> EngineError:
    """Why a record failed, as an error of ours that is not tried again: the upstream has tried, and may charge."""
    text = next(_reasons(record), "") or "the upstream does not say why"
    code = record.get("error_code")
    if ours and isinstance(code, str) and code in _OUR_CODES:
        return EngineError(text, final=True, code=code)
    return judged(text) or UpstreamError(f"The upstream failed: {text}", final=True)


def judged(text: str) -> EngineError | None:
    """What the words of an upstream mean, where they are known."""
    if _POLICY.search(text):
        return EngineError(f"content policy violation: {text}", final=True, code="content_policy")
    if _BAD_REQUEST.search(text):
        return InvalidInput(f"The upstream refused the request: {text}")
    if "out of memory" in text.lower():
        return OutOfMemory(f"The upstream ran out of memory: {text}", final=True)
    return None


def denies_access(text: str) -> bool:
    """Whether words wrapped into a 500 mean 401, 403 or 404."""
    return bool(_NO_ACCESS.search(text))


def _reasons(record: Record) -> Iterator[str]:
    outcome = _mapping(record.get("outcome"))
    for holder, keys in (
        (outcome, ("error", "message", "fail_reason", "reason", "error_message")),
        (record, ("error", "error_message", "reason", "message")),
    ):
        for key in keys:
            value = holder.get(key)
            if isinstance(value, Mapping):
                value = cast(Record, value).get("message")
            if isinstance(value, str) and value.strip():
                yield one_line(value)


def _mapping(value: Any) -> Record:
    return cast(Record, value) if isinstance(value, Mapping) else {}
