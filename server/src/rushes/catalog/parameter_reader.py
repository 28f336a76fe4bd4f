"""One parameter of a card file, read and checked."""

import re
from dataclasses import replace
from typing import Any, Final, cast, get_args

from rushes.catalog.card_fields import Fields
from rushes.catalog.wording import description, display_name
from rushes.catalog.yaml_tree import CardFault, Node
from rushes.domain.model_card import MediaLimits, Parameter, ParameterType, Role
from rushes.domain.parameter_value import Refused, is_absent, read_value
from rushes.domain.roles import role_of

TYPES: Final = get_args(ParameterType)
ROLES: Final = get_args(Role)
MEDIA: Final = ("image", "audio", "video")
MEGABYTE: Final = 1024 * 1024

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def read_parameter(node: Node, file: str, faults: list[CardFault]) -> Parameter | None:
    """The parameter, or None when its name or type cannot be told; every fault is added to `faults`."""
    known = len(faults)
    fields = Fields(node, file, faults, "a parameter")
    name = fields.text("name")
    kind, items = _type(fields)
    if len(faults) > known:
        return None
    if not _NAME.fullmatch(name):
        fields.fault(fields.line("name"), f"{name} is not a parameter name of letters, digits and underscores")
    default = fields.get("default")
    parameter = Parameter(
        name=name,
        type=kind,
        display_name=fields.text("display_name", display_name(name)),
        description=fields.text("description", ""),
        required=fields.flag("required"),
        default=default.plain() if default else None,
        options=fields.scalars("options"),
        unsupported=fields.scalars("unsupported"),
        unsupported_text=fields.text("unsupported_text", ""),
        open_options=fields.flag("open_options"),
        labels=_labels(fields),
        minimum=fields.number("min"),
        maximum=fields.number("max"),
        step=fields.number("step"),
        max_length=fields.integer("max_length", least=1),
        max_tokens=fields.integer("max_tokens", least=1),
        items=items,
        min_items=fields.integer("min_items"),
        max_items=fields.integer("max_items", least=1),
        media=_limits(fields, file, faults, is_media=(items or kind) in MEDIA),
        role=_role(fields, name),
        aliases=fields.texts("aliases"),
    )
    fields.finish()
    if len(faults) == known:
        _judge(parameter, fields)
    return _with_words(parameter)


def _with_words(parameter: Parameter) -> Parameter:
    return parameter if parameter.description else replace(parameter, description=description(parameter))


def _type(fields: Fields) -> tuple[ParameterType, ParameterType | None]:
    """The type and, for array[x], the type of the items."""
    word = fields.text("type")
    match = re.fullmatch(r"array\[(\w+)\]", word)
    inner = match[1] if match else None
    outer = "array" if match else word
    if word and (outer not in TYPES or (inner is not None and inner not in TYPES) or inner in ("array", "json")):
        fields.fault(fields.line("type"), f"{word} is not a type; known are {', '.join(TYPES)} and array[x]")
    if outer == "array" and inner is None:
        inner = "string"
    return cast(ParameterType, outer), cast("ParameterType | None", inner)


def _role(fields: Fields, name: str) -> Role | None:
    word = fields.text("role", role_of(name) or "none")
    if word != "none" and word not in ROLES:
        fields.fault(fields.line("role"), f"{word} is not a role; known are none, {', '.join(ROLES)}")
        return None
    return cast("Role | None", None if word == "none" else word)


def _labels(fields: Fields) -> dict[str, Any]:
    node = fields.get("labels")
    if node is None:
        return {}
    if node.mapping is None:
        fields.fault(fields.line("labels"), "labels must map other words to options")
    return {key: value.plain() for key, value in (node.mapping or {}).items()}


def _limits(fields: Fields, file: str, faults: list[CardFault], *, is_media: bool) -> MediaLimits | None:
    node = fields.get("limits")
    if node is None:
        return None
    if not is_media:
        fields.fault(fields.line("limits"), "limits belong to image, audio and video parameters")
        return None
    inner = Fields(node, file, faults, "limits")
    megabytes = inner.number("max_mb")
    limits = MediaLimits(
        formats=inner.texts("formats"),
        max_bytes=None if megabytes is None else int(megabytes * MEGABYTE),
        min_side=inner.integer("min_side", least=1),
        max_side=inner.integer("max_side", least=1),
        max_aspect=inner.number("max_aspect"),
        min_seconds=inner.number("min_seconds"),
        max_seconds=inner.number("max_seconds"),
    )
    inner.finish()
    return limits


def _judge(parameter: Parameter, fields: Fields) -> None:
    """What each field of its own is right about, but not together."""
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and low > high:
        fields.fault(fields.line("min"), "min must not be above max")
    if parameter.type == "enum" and not parameter.options and not parameter.open_options:
        fields.fault(fields.line("type"), "an enum needs options, or open_options where its values are not known")
    if parameter.options and parameter.type not in ("enum", "integer", "float"):
        fields.fault(fields.line("options"), f"a parameter of type {parameter.type} takes no options")
    for option in (*parameter.unsupported, *parameter.labels.values()):
        if option not in parameter.options:
            fields.fault(fields.line("options"), f"{option} is not among the options")
    if parameter.unsupported and not parameter.unsupported_text:
        fields.fault(fields.line("unsupported"), "unsupported options need an unsupported_text")
    if is_absent(parameter, parameter.default):
        return
    try:
        same = read_value(parameter, parameter.default) == parameter.default
    except Refused as refusal:
        fields.fault(fields.line("default"), f"default breaks the parameter's own rule. {refusal.message}")
    else:
        if not same:
            fields.fault(fields.line("default"), "default must be written as its option is")
