"""A customer's payload checked against a model card: pure, everything wrong with it reported at once.

The rules are those of WIRE.md section 2.5; how one value is read is in parameter_value.py, which names mean the same
in roles.py, and combinations of parameters in rules.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from rushes.domain.errors import InvalidPayload, ParameterFault
from rushes.domain.frame_shape import ratio_of, size_for_ratio
from rushes.domain.model_card import MediaType, ModelCard, Parameter, Role
from rushes.domain.parameter_value import Refused, is_absent, read_value
from rushes.domain.roles import role_of
from rushes.domain.rules import check_rules

MAX_GIVEN: Final = 60
"""Characters of a refused value that are kept."""
MAX_NAMED: Final = 20
"""Unknown keys that are named in warnings; the others are counted."""


@dataclass(frozen=True, slots=True)
class MediaValue:
    """One media file that a payload names: a URL, a data URI or raw base64, not looked at yet."""

    param: str
    role: Role | None
    index: int
    """Place in a list parameter, else 0."""
    kind: MediaType
    value: str


@dataclass(frozen=True, slots=True)
class CheckedPayload:
    """A payload that can be rendered. `params` has the card's names, with defaults, media strings included."""

    params: Mapping[str, Any]
    media: tuple[MediaValue, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Assigned:
    """Which raw value goes to which parameter, and under which key it came."""

    values: dict[str, object] = field(default_factory=dict[str, object])
    keys: dict[str, str] = field(default_factory=dict[str, str])
    warnings: list[str] = field(default_factory=list[str])


def check_payload(card: ModelCard, payload: Mapping[str, Any]) -> CheckedPayload:
    """The payload with the card's names, types and defaults. Raises InvalidPayload with every fault."""
    assigned = _assign(card, payload)
    params: dict[str, Any] = {}
    faults: list[ParameterFault] = []
    for parameter in card.parameters:
        fault = _read_one(parameter, assigned, params)
        if fault:
            faults.append(fault)
    faulty = {fault.param for fault in faults}
    rule_faults, rule_warnings = check_rules(card, params, faulty)
    faults += rule_faults
    if not assigned.values and not faults:
        faults.append(_nothing_given(card))
    if faults:
        raise InvalidPayload(tuple(faults))
    return CheckedPayload(params, tuple(_media(card, params)), (*assigned.warnings, *rule_warnings))


def _assign(card: ModelCard, payload: Mapping[str, Any]) -> _Assigned:
    """Exact names first, so that an alias never beats the documented name, whatever the order of the keys."""
    assigned = _Assigned()
    strangers: list[str] = []
    by_name = {parameter.name: parameter for parameter in card.parameters}
    for key, raw in payload.items():
        parameter = by_name.get(key)
        if parameter is None:
            if raw is not None:
                strangers.append(key)
        elif not is_absent(parameter, raw):
            assigned.values[key], assigned.keys[key] = raw, key
    aliases = {alias: parameter for parameter in card.parameters for alias in parameter.aliases}
    unknown: list[str] = []
    for key in strangers:
        parameter = aliases.get(key) or _meant_by(card, role_of(key))
        if parameter is None:
            unknown.append(key)
        elif not is_absent(parameter, payload[key]):
            _adopt(parameter, key, payload[key], assigned)
    if unknown:
        assigned.warnings.append(_ignored(unknown))
    return assigned


def _adopt(parameter: Parameter, key: str, raw: object, assigned: _Assigned) -> None:
    """Use a key for the parameter it means, unless that is given already."""
    if parameter.name in assigned.values:
        used = assigned.keys[parameter.name]
        assigned.warnings.append(f"{_short(key)} was ignored, because {_short(used)} is given and means the same.")
        return
    assigned.values[parameter.name] = _translated(parameter, role_of(key), raw)
    assigned.keys[parameter.name] = key
    assigned.warnings.append(f"{_short(key)} is not a parameter of this model and was used as {parameter.name}.")


def _meant_by(card: ModelCard, role: Role | None) -> Parameter | None:
    """The one parameter of a role; a shape may be asked for as a ratio or as a size."""
    if role is None:
        return None
    for meaning in {"ratio": ("ratio", "size"), "size": ("size", "ratio")}.get(role, (role,)):
        having = [parameter for parameter in card.parameters if parameter.role == meaning]
        if having:
            return having[0] if len(having) == 1 else None
    return None


def _translated(parameter: Parameter, role: Role | None, raw: object) -> object:
    """A shape said as a ratio where the card wants a size, or the other way round; other values as they are."""
    options = [option for option in parameter.options if isinstance(option, str)]
    if not isinstance(raw, str) or role == parameter.role or not options:
        return raw
    if parameter.role == "size":
        default = parameter.default if isinstance(parameter.default, str) else options[0]
        return size_for_ratio(raw, options, default) or raw
    if parameter.role == "ratio":
        return ratio_of(raw, options) or raw
    return raw


def _read_one(parameter: Parameter, assigned: _Assigned, params: dict[str, Any]) -> ParameterFault | None:
    """Put one cleaned value, or its default, into `params`; a fault if there is none to put."""
    if parameter.name not in assigned.values:
        if parameter.required and parameter.default is None:
            return ParameterFault(parameter.name, "missing", "Required parameter is missing")
        if not is_absent(parameter, parameter.default):
            params[parameter.name] = parameter.default
        return None
    raw = assigned.values[parameter.name]
    if parameter.required and isinstance(raw, str) and not raw.strip():
        return ParameterFault(parameter.name, "missing", "Required parameter is missing")
    try:
        params[parameter.name] = read_value(parameter, raw)
    except Refused as refusal:
        key = assigned.keys[parameter.name]
        message = refusal.message if key == parameter.name else f"{refusal.message}, sent as {_short(key)}"
        return ParameterFault(parameter.name, refusal.code, message, refusal.allowed, _given(raw))
    return None


def _nothing_given(card: ModelCard) -> ParameterFault:
    names = [parameter.name for parameter in card.parameters]
    listed = ", ".join(names)
    return ParameterFault(
        names[0] if names else "payload", "missing", f"At least one parameter is required, of {listed}", names
    )


def _media(card: ModelCard, params: Mapping[str, Any]) -> list[MediaValue]:
    found: list[MediaValue] = []
    for parameter in card.parameters:
        kind, value = parameter.media_type, params.get(parameter.name)
        if kind is None or value is None:
            continue
        items = cast(list[str], value) if isinstance(value, list) else [cast(str, value)]
        found += [MediaValue(parameter.name, parameter.role, place, kind, item) for place, item in enumerate(items)]
    return found


def _ignored(keys: list[str]) -> str:
    named = ", ".join(_short(key) for key in keys[:MAX_NAMED])
    more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
    plural = "are not parameters" if len(keys) > 1 else "is not a parameter"
    return f"{named}{more} {plural} of this model and had no effect."


def _short(key: str) -> str:
    return key if len(key) <= MAX_GIVEN else f"{key[: MAX_GIVEN - 3]}..."


def _given(raw: object) -> str:
    """The start of a refused value. Large values are cut before they are spelled out."""
    if isinstance(raw, str):
        return _short(raw)
    if isinstance(raw, int) and abs(raw) >= 10**MAX_GIVEN:
        return "a huge number"
    if isinstance(raw, list):
        return f"a list of {len(cast(list[object], raw))}"
    if isinstance(raw, Mapping):
        return "an object"
    return _short(str(raw))
