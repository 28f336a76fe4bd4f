"""A model's parameters as fields of a form, and a sent form as a payload. static/fields.js reads a form alike."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from rushes.playground.public_api import pretty

PREFIX: Final = "p."
"""Before the name of each field, so that no parameter meets a name of our own."""
FAULT: Final = "rushes_fault"
COMMON_ROLES: Final = frozenset(
    {"prompt", "image", "last_image", "references", "clip", "audio", "duration", "resolution", "ratio", "size", "seed"}
)
BRACKETS: Final = frozenset({"enum", "integer", "float", "boolean"})
CHOICES_SHOWN: Final = 6
CHARACTERS_SHOWN: Final = 34
MEGABYTE: Final = 1024 * 1024

Widget = Literal["text", "words", "number", "switch", "choice", "select", "open", "media", "media_list", "json"]


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter as a form shows it. `value` is text, as controls hold it."""

    name: str
    label: str
    widget: Widget
    type: str
    hint: str
    required: bool
    value: str
    default: str
    options: Sequence[str]
    minimum: float | None
    maximum: float | None
    step: str
    max_length: int | None
    media: str
    limits: Mapping[str, Any]
    """Of a media field: `formats` and what else the model asks of a file."""
    group: Literal["needed", "common", "advanced"]
    wide: bool
    bracket: bool
    error: str = ""

    @property
    def id(self) -> str:
        return f"field-{self.name}"

    @property
    def control(self) -> str:
        return PREFIX + self.name


def fields_of(
    model: Mapping[str, Any], given: Mapping[str, Any] | None = None, faults: Mapping[str, str] | None = None
) -> list[Field]:
    """The fields of a model, filled from a payload where there is one, else with the defaults."""
    one_of = {name for group in model.get("requires_any", []) for name in group}
    return [
        _field(parameter, one_of, given, (faults or {}).get(parameter["name"], "")) for parameter in model["parameters"]
    ]


def _field(parameter: Mapping[str, Any], one_of: set[str], given: Mapping[str, Any] | None, error: str) -> Field:
    name, kind = parameter["name"], parameter["type"]
    widget = _widget(parameter)
    default = as_text(parameter["default_value"])
    needed = parameter["required"] or name in one_of or parameter["role"] == "prompt"
    value = as_text(given[name]) if given is not None and name in given else default
    return Field(
        name=name,
        label=parameter["display_name"],
        widget=widget,
        type=kind,
        hint=_hint(parameter),
        required=parameter["required"],
        value=value,
        default=default,
        options=[as_text(option) for option in parameter["options"]],
        minimum=parameter["min_value"],
        maximum=parameter["max_value"],
        step=as_text(parameter["step"]) or ("1" if kind == "integer" else "any"),
        max_length=parameter["max_length"],
        media=(parameter["items"] if kind == "array" else kind) if widget.startswith("media") else "",
        limits={"formats": parameter["formats"], **_stated(parameter)} if widget.startswith("media") else {},
        group="needed" if needed else "common" if parameter["role"] in COMMON_ROLES else "advanced",
        wide=widget in ("words", "media", "media_list", "json", "choice"),
        bracket=kind in BRACKETS or parameter["role"] == "prompt",
        error=error,
    )


def _widget(parameter: Mapping[str, Any]) -> Widget:
    kind, options = parameter["type"], [as_text(option) for option in parameter["options"]]
    if kind in ("image", "audio", "video"):
        return "media"
    if kind == "array" and parameter["items"] in ("image", "audio", "video"):
        return "media_list"
    if kind in ("array", "json"):
        return "json"
    if kind == "boolean":
        return "switch"
    if options and parameter["open_options"]:
        return "open"
    if options:
        few = len(options) <= CHOICES_SHOWN and sum(map(len, options)) <= CHARACTERS_SHOWN
        return "choice" if few and parameter["default_value"] is not None else "select"
    if kind in ("integer", "float"):
        return "number"
    return "words" if parameter["role"] in ("prompt", "negative") else "text"


def _hint(parameter: Mapping[str, Any]) -> str:
    """Limits in a few words; the description is in the guide and in a title."""
    low, high = parameter["min_value"], parameter["max_value"]
    if parameter["role"] == "seed":
        return "empty or -1 draws one"
    if low is not None and high is not None and high < 100_000:
        return f"{low} to {high}"
    return ", ".join(_media_hints(parameter))


def _stated(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of its media that a model names."""
    limits: Mapping[str, Any] = parameter["media_limits"] or {}
    return {name: value for name, value in limits.items() if value is not None}


def _media_hints(parameter: Mapping[str, Any]) -> list[str]:
    said = _stated(parameter)
    hints = [*parameter["formats"]]
    if "max_bytes" in said:
        hints.append(f"to {said['max_bytes'] / MEGABYTE:g} MB")
    if "min_side" in said:
        hints.append(f"at least {said['min_side']} px a side")
    if "max_side" in said:
        hints.append(f"at most {said['max_side']} px a side")
    if "max_aspect" in said:
        hints.append(f"sides up to {said['max_aspect']:g} : 1")
    if "min_seconds" in said or "max_seconds" in said:
        hints.append(" to ".join(f"{said[name]:g}" for name in ("min_seconds", "max_seconds") if name in said) + " s")
    return hints


def as_text(value: Any) -> str:
    """A value as a control holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def payload_of(fields: Iterable[Field], sent: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The payload a form stands for, and by field what cannot be read. Empty fields and defaults are left out.

    Whether a value is allowed is for the API to say; only JSON that is none is a fault here.
    """
    payload: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for field in fields:
        text = sent.get(field.control, "").strip()
        if field.widget == "switch":
            text = "true" if text else "false"
            if text == (field.default or "false"):
                continue
        if text == "" or (text == field.default and field.widget != "media"):
            continue
        try:
            payload[field.name] = _value(field, text)
        except ValueError:
            faults[field.name] = "Must be JSON"
    order = sent.get(FAULT, "").strip()
    if order:
        payload[FAULT] = json.loads(order) if _is_json(order) else order
    return payload, faults


def _value(field: Field, text: str) -> Any:
    """One value in its wire type; text that is no number stays text, for the API to refuse."""
    if field.widget == "switch":
        return text == "true"
    if field.widget == "media_list":
        return text.split()
    if field.widget == "json":
        return json.loads(text)
    if field.type in ("integer", "float"):
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def faults_of(detail: Mapping[str, Any]) -> dict[str, str]:
    """What an answer 400 says of each parameter."""
    errors = cast(list[Mapping[str, Any]], detail.get("errors") or [])
    return {error["param"]: error["message"] for error in errors}


FAULTS: Final[tuple[tuple[str, Mapping[str, Any], str], ...]] = (
    (
        "Refused, rate limited",
        {"http": 429},
        "The submit is refused with 429 and Retry-After. Wait, then submit again.",
    ),
    ("Refused, no credit", {"http": 402}, "The submit is refused with 402. Nothing was queued; do not retry."),
    ("Refused, server down", {"http": 503}, "The submit is refused with 503. Retry under the same Idempotency-Key."),
    ("Fails half-way", {"fail": "engine_lost", "at": 50}, "The request ends as failed, retryable, at 50 %."),
    ("Out of memory", {"fail": "out_of_memory", "at": 20}, "Ask for a smaller size, or try once more."),
    ("Bad content", {"fail": "content_policy", "at": 0}, "The request ends as failed and a retry cannot help."),
    ("Slow", {"stall": 20}, "Nothing happens for 20 s. Your own time limit must be longer."),
    ("Loses its worker", {"lose_worker": True}, "The first attempt dies; the queue brings a second one by itself."),
)
"""Orders of the fault bench: name, value of rushes_fault, and what client code has to survive."""


def fault_choices() -> list[tuple[str, str, str]]:
    return [(name, json.dumps(order), text) for name, order, text in FAULTS]


def payload_text(payload: Mapping[str, Any]) -> str:
    return pretty(payload)
