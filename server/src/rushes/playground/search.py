"""The one search box of Requests: words, an id, and model:, status:, seed:, bracket: and the like in any order."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TERM = re.compile(r"(model|status|seed|since|until|bracket|sha256):(\S+)")

_NAMES = {
    "model": "model_id",
    "since": "created_after",
    "until": "created_before",
    "bracket": "metadata.bracket",
}
"""What the API calls a term of the box."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for: the text of the box, and the filters it stands for under the API's names."""

    text: str
    query: Mapping[str, Any]
    chips: tuple[tuple[str, str], ...]
    """Each filter as it is written in the box, with its value in words."""

    @property
    def path(self) -> str:
        """The same as an address of the API below its prefix."""
        pairs = urlencode([(name, value) for name, value in self.query.items() if value is not None], doseq=True)
        return "/requests" + (f"?{pairs}" if pairs else "")

    def without(self, term: str) -> str:
        return " ".join(word for word in self.text.split() if word != term)


def read_search(given: QueryParams) -> Search:
    """The box `q`, and the controls `status` and `model` beside it."""
    text = " ".join(given.get("q", "").split())
    for name in ("status", "model"):
        for value in given.getlist(name):
            if value and f"{name}:{value}" not in text:
                text = f"{text} {name}:{value}".strip()
    query: dict[str, Any] = {}
    chips: list[tuple[str, str]] = []
    for match in _TERM.finditer(text):
        name, value = match.groups()
        chips.append((match.group(), value))
        if name == "status":
            query.setdefault("status", []).append(value)
        else:
            query[_NAMES.get(name, name)] = value
    words = " ".join(_TERM.sub(" ", text).split())
    if _ID.fullmatch(words):
        query["id"] = words
    elif words:
        query["q"] = words
    return Search(text, query, tuple(chips))
