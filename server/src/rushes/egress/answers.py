"""What comes of a call: an answer, a file, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass


class EgressRefused(Exception):
    """We do not make this call, and never will: the text says why, but never which address a name stands for."""


class EgressFailed(Exception):
    """The other side could not be reached, or its answer is no good. `retryable`: it may work later.

    `reached`: a connection was made, so the other side may have acted on the call.
    """

    def __init__(self, text: str, *, retryable: bool, reached: bool = True) -> None:
        super().__init__(text)
        self.retryable = retryable
        self.reached = reached


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that has arrived whole. `content_type` is the sender's claim; `url` the last one after redirects."""

    bytes: int
    sha256: str
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer to a POST: its status and at most the first 1,024 bytes of its body."""

    status: int
    excerpt: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer: its status, its headers by lower-case name, its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
