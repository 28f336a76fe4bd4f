"""Logs as one JSON object a line, through one redactor: no key, token, signature, data URI or prompt reaches them."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Keys (`gmi_...`), page cookies and one-time links (`rps_`, `rsl_`), webhook secrets, bearer values, JSON web tokens,
# signatures and passwords in URLs.
_SECRETS = re.compile(
    r"gmi_[0-9A-Za-z]{8,}|r(?:ps|sl)_[0-9A-Za-z_-]{16,}|whsec_[0-9A-Za-z+/=]+|(?i:bearer|key)\s+[0-9A-Za-z._~+/=-]{16,}"
    r"|eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+|(?<=signature=)[^&\s]+|(?<=key=)[^&\s]+|(?<=://)[^/@\s]+:[^/@\s]+(?=@)"
)
_DATA_URI = re.compile(r"data:([\w/+.-]*)[^,\s]{0,80},[A-Za-z0-9+/=%]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_HIDDEN_FIELDS = frozenset({"authorization", "cookie", "password", "secret", "key", "token", "prompt", "payload"})


def redacted(text: str) -> str:
    """`text` without secrets, data URIs (type and length stay) and control characters."""
    text = _DATA_URI.sub(lambda m: f"data:{m.group(1)} of {len(m.group(0))} characters", text)
    return _CONTROL.sub("\ufffd", _SECRETS.sub("[redacted]", text))


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name in _HIDDEN_FIELDS:
            event[name] = "[redacted]"
        elif isinstance(value, str):
            event[name] = redacted(value)
    return event


def configure(level: str = "info") -> None:
    """Send logs to standard error, one JSON object a line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def logger(name: str) -> Any:
    """A logger whose lines carry the name of their part of the system."""
    return structlog.get_logger(part=name)
