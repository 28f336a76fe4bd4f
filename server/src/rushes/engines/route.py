"""One way to an engine: a table of engines.toml, or a card's own engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from rushes.domain.model_card import ModelCard
from rushes.engines.options import EngineOptions

FAMILY = "family:"


@dataclass(frozen=True, slots=True)
class Route:
    """Which engine, set up how, for which models."""

    name: str
    engine: str
    options: EngineOptions = field(default_factory=EngineOptions)
    written: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The options as the operator wrote them."""

    @property
    def label(self) -> str:
        """How lanes call it."""
        return self.engine if self.name == self.engine else f"{self.engine}:{self.name}"

    def matches(self, card: ModelCard) -> bool:
        """Whether this serves a card, unless a better one does."""
        if self.options.models:
            return any(matches(pattern, card) for pattern in self.options.models)
        return any(choice.engine == self.engine for choice in card.prefers)


def matches(pattern: str, card: ModelCard) -> bool:
    """Whether a pattern of engines.toml means a card; case does not count."""
    if pattern.casefold().startswith(FAMILY):
        return fnmatchcase(card.family.casefold(), pattern[len(FAMILY) :].strip().casefold())
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in (card.id, *card.aliases))
