"""The shape of what the OpenAPI document says of one operation."""

from dataclasses import dataclass, field

BODY = ("invalid_json", "body_too_large", "unsupported_media_type")
"""What a JSON body can do wrong."""
LIMIT = ("rate_limited",)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `answer` is the schema of 200, `more` other answers that are no errors."""

    section: str
    summary: str
    answer: str = ""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: str = ""
    errors: tuple[str, ...] = ()
    secured: bool = True
    media: str = "application/json"
    """The type of the answer where it is not JSON."""
    more: dict[int, str] = field(default_factory=dict[int, str])
    also: tuple[str, ...] = ()
    """Other schemas that 200 may have."""
