"""The sections of the page, in the order of the top bar. A screen that has its own section adds a line here."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the top bar; `key` is the second key of its shortcut, after g."""

    name: str
    href: str
    icon: str
    key: str
    for_operators: bool = False


SECTIONS: Final = (
    Section("Models", "/models", "clapperboard", "m"),
    Section("Requests", "/requests", "list", "r"),
    Section("Files", "/files", "folder", "f"),
    Section("Keys", "/keys", "key-round", "k"),
    Section("Usage", "/usage", "chart-no-axes-column", "u"),
    Section("Webhooks", "/webhooks", "webhook", "w"),
    Section("Operate", "/operate", "activity", "o", for_operators=True),
)
