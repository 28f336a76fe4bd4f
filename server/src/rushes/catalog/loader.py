"""The catalogue: every model card of this installation, found by id, alias, task or text."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rushes.catalog.card_fields import Fields
from rushes.catalog.card_reader import read_family
from rushes.catalog.price_reader import read_price
from rushes.catalog.yaml_tree import CardFault, CatalogError, read_tree
from rushes.domain.errors import ApiError
from rushes.domain.model_card import ModelCard
from rushes.domain.pricing import priced_parameter

CARDS: Final = Path(__file__).parent / "cards"
SUGGESTIONS: Final = 3
MAX_ID: Final = 200
"""Characters of an unknown id that are compared and repeated."""

__all__ = ["CardFault", "Catalog", "CatalogError", "UnknownModel", "check_file", "load_catalog"]


class UnknownModel(Exception):
    """No card has that id. `suggestions` are the nearest ids, best first."""

    def __init__(self, model_id: str, suggestions: Sequence[str]) -> None:
        self.model_id = model_id[:MAX_ID]
        self.suggestions = tuple(suggestions)
        super().__init__(f"Model not found, {self.model_id}")

    def as_api_error(self) -> ApiError:
        text = f"Model not found, did you mean {' or '.join(self.suggestions)}" if self.suggestions else None
        return ApiError("model_not_found", text, param="model", detail={"suggestions": list(self.suggestions)})


class Catalog:
    """Model cards in order. Ids and aliases are unique without regard to case."""

    def __init__(self, cards: Iterable[ModelCard]) -> None:
        self.cards: tuple[ModelCard, ...] = tuple(cards)
        self._by_id = {card.id: card for card in self.cards}
        self._by_alias = {alias: card for card in self.cards for alias in card.aliases}
        self._folded = {name.casefold(): card for name, card in {**self._by_alias, **self._by_id}.items()}

    def find(self, model_id: str) -> ModelCard:
        """The card of an id: exactly, then as an alias, then without regard to case. Raises UnknownModel."""
        card = self._by_id.get(model_id) or self._by_alias.get(model_id) or self._folded.get(model_id.casefold())
        if card is None:
            raise UnknownModel(model_id, self._nearest(model_id))
        return card

    def search(self, task: str | None = None, family: str | None = None, text: str | None = None) -> list[ModelCard]:
        """The cards of a task and a family whose words contain every word of `text`."""
        words = (text or "").casefold().split()
        return [
            card
            for card in self.cards
            if (task is None or card.task == task)
            and (family is None or card.family == family)
            and all(word in _searchable(card) for word in words)
        ]

    def _nearest(self, model_id: str) -> list[str]:
        wanted = model_id[:MAX_ID].casefold()
        near = difflib.get_close_matches(wanted, self._folded, n=2 * SUGGESTIONS, cutoff=0.5)
        starting = sorted(name for name in self._folded if wanted and name.startswith(wanted))
        ids = dict.fromkeys(self._folded[name].id for name in (*starting, *near))
        return list(ids)[:SUGGESTIONS]


def load_catalog(
    extra_dir: Path | None = None, *, test_models: bool = False, price_overrides: Path | None = None
) -> Catalog:
    """The cards that come with the server, then those of `extra_dir`, which replace cards of the same id.

    Raises CatalogError with every fault of every file.
    """
    faults: list[CardFault] = []
    cards: dict[str, ModelCard] = {}
    for folder in (CARDS, extra_dir):
        if folder is not None:
            cards |= _read_folder(folder, faults)
    wanted = [card for card in cards.values() if test_models or not card.test_only]
    faults += _clashes(wanted)
    if price_overrides is not None and not faults:
        wanted = _repriced(wanted, price_overrides, faults)
    if faults:
        raise CatalogError(faults)
    return Catalog(wanted)


def check_file(path: Path) -> list[str]:
    """What is wrong with one card file, a line each: file, line and reason. An empty list if nothing is."""
    try:
        read_family(path)
    except CatalogError as error:
        return [str(fault) for fault in error.faults]
    return []


def _read_folder(folder: Path, faults: list[CardFault]) -> dict[str, ModelCard]:
    cards: dict[str, ModelCard] = {}
    if not folder.is_dir():
        faults.append(CardFault(str(folder), 0, "is not a folder"))
    for path in sorted(folder.glob("*.yaml")):
        try:
            family = read_family(path)
        except CatalogError as error:
            faults += error.faults
            continue
        for card, line in family:
            if card.id in cards:
                faults.append(CardFault(str(path), line, f"{card.id} is declared twice"))
            cards[card.id] = card
    return cards


def _clashes(cards: Iterable[ModelCard]) -> list[CardFault]:
    owners: dict[str, str] = {}
    faults: list[CardFault] = []
    for card in cards:
        for name in (card.id, *card.aliases):
            owner = owners.setdefault(name.casefold(), card.id)
            if owner != card.id:
                faults.append(CardFault(f"family {card.family}", 0, f"{name} of {card.id} also names {owner}"))
    return faults


def _repriced(cards: list[ModelCard], path: Path, faults: list[CardFault]) -> list[ModelCard]:
    """The cards with the prices of an overrides file: a mapping of model ids to prices."""
    try:
        root = read_tree(path)
    except CatalogError as error:
        faults += error.faults
        return cards
    fields = Fields(root, str(path), faults, "the price file")
    by_id = {card.id: card for card in cards}
    for model_id, node in fields.mapping.items():
        card = by_id.get(model_id)
        price = read_price(node, str(path), faults)
        if card is None:
            fields.fault(fields.line(model_id), f"{model_id} is not a model of this catalogue")
        elif price.by is not None and priced_parameter(card, price.by) is None:
            fields.fault(node.line, f"{model_id} has no parameter or role {price.by}")
        else:
            by_id[model_id] = replace(card, price=price)
    return list(by_id.values())


def _searchable(card: ModelCard) -> str:
    words = (card.id, card.display_name, card.brief_description, card.family, card.org_id, card.task, *card.tags)
    return " ".join((*words, *card.aliases)).casefold()
