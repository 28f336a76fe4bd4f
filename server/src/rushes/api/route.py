"""One operation of the API as the table of routes holds it."""

from dataclasses import dataclass

from rushes.api.answers import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """`operation` is its id in the OpenAPI document; operations.py describes it, without the prefix of an alias."""

    method: str
    path: str
    handler: Handler
    operation: str
