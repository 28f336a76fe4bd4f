"""One card file, a family of models, read and checked. docs/reference/card-format.md describes the format."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rushes.catalog.card_fields import Fields
from rushes.catalog.parameter_reader import read_parameter
from rushes.catalog.price_reader import read_price
from rushes.catalog.yaml_tree import CardFault, CatalogError, Node, read_tree
from rushes.domain.errors import InvalidPayload
from rushes.domain.model_card import EngineChoice, ModelCard, Parameter, Price, Rule
from rushes.domain.payload import check_payload
from rushes.domain.pricing import priced_parameter

FREE: Final = Price(amount=0, details="free")


def read_family(path: Path) -> list[tuple[ModelCard, int]]:
    """The cards of one file in its order, each with its line. Raises CatalogError with every fault of the file."""
    root = read_tree(path)
    faults: list[CardFault] = []
    fields = Fields(root, str(path), faults, "a card file")
    fields.get("shared")
    family = _Family(fields)
    cards = [(family.card(node), node.line) for node in fields.nodes("models")]
    if not cards and not faults:
        fields.fault(root.line, "a card file needs a list of models")
    fields.finish()
    if faults:
        raise CatalogError(sorted(faults, key=lambda fault: fault.line))
    return cards


class _Family:
    """What the cards of one file share."""

    def __init__(self, fields: Fields) -> None:
        self.file = fields.file
        self.faults = fields.faults
        self.name = fields.text("family")
        self.org_id = fields.text("org_id")
        self.tags = fields.texts("tags")
        self.engine = fields.text("engine", "animatic")
        self.prefers = self._choices(fields)
        self.created_at = _midnight(fields)

    def card(self, node: Node) -> ModelCard:
        known = len(self.faults)
        fields = Fields(node, self.file, self.faults, "a model")
        price = fields.get("price")
        card = ModelCard(
            id=fields.text("id"),
            family=self.name,
            org_id=fields.text("org_id", self.org_id),
            task=fields.text("task"),
            display_name=fields.text("display_name"),
            brief_description=fields.text("brief"),
            detailed_description=fields.text("description").strip(),
            parameters=tuple(self._parameters(fields)),
            price=read_price(price, self.file, self.faults) if price else FREE,
            engine=fields.text("engine", self.engine),
            engine_options=_plain_mapping(fields, "engine_options"),
            aliases=fields.texts("aliases"),
            tags=(*self.tags, *fields.texts("tags")),
            published_name=fields.text("published_name", ""),
            requires_any=self._groups(fields, "requires_any"),
            rules=tuple(self._rule(rule) for rule in fields.nodes("rules")),
            prefers=self._choices(fields) or self.prefers,
            example=_plain_mapping(fields, "example"),
            synchronous_post=fields.flag("synchronous_post"),
            test_only=fields.flag("test_only"),
            created_at=self.created_at,
        )
        fields.finish()
        if len(self.faults) == known:
            _judge(card, fields)
        return card

    def _parameters(self, fields: Fields) -> Iterable[Parameter]:
        seen: set[str] = set()
        nodes = fields.nodes("parameters")
        if not nodes:
            fields.fault(fields.line("parameters"), "a model needs a list of parameters")
        for node in nodes:
            parameter = read_parameter(node, self.file, self.faults)
            if parameter is None:
                continue
            for name in (parameter.name, *parameter.aliases):
                if name in seen:
                    fields.fault(node.line, f"{name} names two parameters")
                seen.add(name)
            yield parameter

    def _groups(self, fields: Fields, name: str) -> tuple[tuple[str, ...], ...]:
        """A list whose items are names or lists of names."""
        groups: list[tuple[str, ...]] = []
        for node in fields.nodes(name):
            values = [item.value for item in node.items or [node]]
            if not values or not all(isinstance(value, str) for value in values):
                fields.fault(node.line, f"{name} must hold names or lists of names")
            else:
                groups.append(tuple(str(value) for value in values))
        return tuple(groups)

    def _rule(self, node: Node) -> Rule:
        fields = Fields(node, self.file, self.faults, "a rule")
        values = fields.get("values")
        refuse, warn = fields.text("refuse", ""), fields.text("warn", "")
        if bool(refuse) == bool(warn):
            fields.fault(node.line, "a rule needs either refuse or warn, with the sentence the customer reads")
        rule = Rule(
            text=refuse or warn,
            refuse=bool(refuse),
            given=self._groups(fields, "given"),
            absent=fields.texts("absent"),
            values={
                key: tuple(item.plain() for item in value.items or [value])
                for key, value in ((values.mapping if values else None) or {}).items()
            },
            count=fields.texts("count"),
            at_most=fields.integer("at_most", default=0) or 0,
        )
        if not rule.names:
            fields.fault(node.line, "a rule needs a condition, one of given, absent, values, count with at_most")
        fields.finish()
        return rule

    def _choices(self, fields: Fields) -> tuple[EngineChoice, ...]:
        return tuple(self._choice(node) for node in fields.nodes("prefers"))

    def _choice(self, node: Node) -> EngineChoice:
        fields = Fields(node, self.file, self.faults, "a preferred engine")
        engine = fields.text("engine")
        options = {key: value.plain() for key, value in fields.mapping.items() if key != "engine"}
        return EngineChoice(engine, options)


def _midnight(fields: Fields) -> int:
    text = fields.text("created")
    if not text:
        return 0
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        fields.fault(fields.line("created"), "created must be a day such as 2026-11-20")
        return 0


def _plain_mapping(fields: Fields, name: str) -> Mapping[str, Any]:
    node = fields.get(name)
    if node is None:
        return {}
    if node.mapping is None:
        fields.fault(fields.line(name), f"{name} must be a mapping of names to values")
    return node.plain() if node.mapping is not None else {}


def _judge(card: ModelCard, fields: Fields) -> None:
    """What parts of a card are right about, but not together."""
    names = {parameter.name for parameter in card.parameters}
    groups = [("requires_any", name) for group in card.requires_any for name in group]
    for field, name in (*groups, *(("rules", name) for rule in card.rules for name in rule.names)):
        if name not in names:
            fields.fault(fields.line(field), f"{field} names {name}, which is not a parameter")
    if card.price.by is not None and priced_parameter(card, card.price.by) is None:
        fields.fault(fields.line("price"), f"the price goes by {card.price.by}, which is no parameter and no role")
    if not card.example:
        fields.fault(fields.node.line, "a model needs an example, a payload that works")
        return
    try:
        check_payload(card, card.example)
    except InvalidPayload as error:
        for fault in error.faults:
            fields.fault(fields.line("example"), f"the example does not work: {fault.param}, {fault.message}")
