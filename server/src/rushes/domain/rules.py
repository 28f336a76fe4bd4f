"""The combination rules of a model card, applied to one payload. The rules themselves are data in the card."""

from collections.abc import Callable, Mapping, Set
from typing import Any, cast

from rushes.domain.errors import ParameterFault
from rushes.domain.model_card import ModelCard, Rule
from rushes.domain.parameter_value import comparable


def has_value(value: object) -> bool:
    """Whether a parameter is given in the sense of a rule: an empty text or list is not."""
    return value is not None and value != "" and value != []


def check_rules(card: ModelCard, params: Mapping[str, Any], faulty: Set[str]) -> tuple[list[ParameterFault], list[str]]:
    """The faults and warnings of a card's groups and rules for cleaned parameters.

    A parameter in `faulty` was given with a value that cannot be used: it counts as given, so that one mistake is
    reported once.
    """

    def given(name: str) -> bool:
        return name in faulty or has_value(params.get(name))

    faults = [_missing_group(group) for group in card.requires_any if not any(given(name) for name in group)]
    warnings: list[str] = []
    for rule in card.rules:
        if not _holds(rule, card, params, given):
            continue
        if rule.refuse:
            blamed = next((name for name in rule.names if given(name)), rule.names[0])
            faults.append(ParameterFault(blamed, "combination", rule.text.rstrip(".")))
        else:
            warnings.append(rule.text)
    return faults, warnings


def _missing_group(group: tuple[str, ...]) -> ParameterFault:
    text = f"At least one of {', '.join(group)} is required"
    return ParameterFault(group[0], "missing", text, list(group))


def _holds(rule: Rule, card: ModelCard, params: Mapping[str, Any], given: Callable[[str], bool]) -> bool:
    if not all(any(given(name) for name in group) for group in rule.given):
        return False
    if any(given(name) for name in rule.absent):
        return False
    if not all(_is_one_of(card, name, params.get(name), values) for name, values in rule.values.items()):
        return False
    return not rule.count or sum(_amount(params.get(name)) for name in rule.count) > rule.at_most


def _is_one_of(card: ModelCard, name: str, value: object, values: tuple[Any, ...]) -> bool:
    parameter = card.parameter(name)
    role = parameter.role if parameter else None
    return value is not None and comparable(value, role) in {comparable(option, role) for option in values}


def _amount(value: object) -> int:
    if isinstance(value, list):
        return len(cast(list[object], value))
    return 1 if has_value(value) else 0
