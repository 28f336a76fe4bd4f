"""One value of one parameter: read loosely where the meaning is clear, refused with a sentence where it is not.

WIRE.md section 2.5. `read_value(parameter, read_value(parameter, x))` is `read_value(parameter, x)`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from rushes.domain.model_card import Parameter, Role
from rushes.domain.tokens import count_tokens

Number = TypeVar("Number", int, float)

MAX_TEXT: Final = 32_000
"""Characters of a text whose card names no limit."""
MAX_OPTION: Final = 200
"""Characters of a value for a parameter whose options are not all known."""
MAX_INTEGER: Final = 2**63 - 1
MAX_JSON_DEPTH: Final = 32
MAX_JSON_VALUES: Final = 10_000
MAX_ITEMS: Final = 100
"""Items of a list whose card names no limit."""

_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_SECONDS: Final = re.compile(r"\s*(s|sec|secs|second|seconds)$")
_WORDS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "on", "yes", "1"), True),
    **dict.fromkeys(("false", "off", "no", "0"), False),
}


class Refused(Exception):
    """A value that cannot be used: the fault's code, the rule in words, and what is allowed."""

    def __init__(self, code: str, message: str, allowed: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.allowed = allowed


def read_value(parameter: Parameter, raw: object) -> Any:
    """The value as the card would write it. Raises Refused."""
    return _READERS[parameter.type](parameter, raw)


def is_absent(parameter: Parameter, raw: object) -> bool:
    """Whether a value says "not given": null, a seed of -1 (draw one), and an empty text where no text is wanted."""
    if raw is None:
        return True
    if parameter.role == "seed" and isinstance(raw, int | float | str) and comparable(raw) == "-1":
        return True
    return isinstance(raw, str) and parameter.type != "string" and not raw.strip()


def comparable(value: object, role: Role | None = None) -> str:
    """The form in which two spellings of one option are equal: 5, "5", "5.0" and, for durations, "5s"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return str(value) if abs(value) <= MAX_INTEGER else "a huge number"
    text = str(value).strip()[: MAX_OPTION + 1].casefold()
    if role == "duration":
        text = _SECONDS.sub("", text)
    elif role == "resolution":
        text = text.removesuffix("p")
    elif role == "size":
        text = text.replace("*", "x").replace("×", "x")
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", text)


def as_text(number: float) -> str:
    """A number as people write it: 15, not 15.0."""
    return str(int(number)) if float(number).is_integer() else str(number)


def one_of(parameter: Parameter) -> Refused:
    """The refusal of a value that is none of the options in use."""
    options = [option for option in parameter.options if option not in parameter.unsupported]
    return Refused("enum", f"Must be one of {', '.join(str(option) for option in options)}", options)


def _read_text(parameter: Parameter, raw: object) -> str:
    if parameter.role == "seed":
        return str(_read_integer(replace(parameter, minimum=0, maximum=MAX_INTEGER), raw))
    text = _sound_text(raw, "Must be a text")
    limit = parameter.max_length or MAX_TEXT
    if len(text) > limit:
        raise Refused("length", f"Must be at most {limit} characters and has {len(text)}", limit)
    tokens = parameter.max_tokens
    if tokens is not None and count_tokens(text, stop_after=tokens) > tokens:
        raise Refused(
            "length",
            f"Must be at most {tokens} tokens, counted as one per started four letters or digits of a word, "
            "one per Chinese, Japanese or Korean character and one per other sign",
            tokens,
        )
    return text


def _sound_text(raw: object, message: str) -> str:
    if not isinstance(raw, str):
        raise Refused("type", message)
    if "\x00" in raw or not _encodable(raw):
        raise Refused("format", "Must not contain a NUL character or half a surrogate pair")
    return raw


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_number(parameter: Parameter, raw: object, message: str) -> float | int:
    if isinstance(raw, str):
        text = raw.strip()[:128]
        if parameter.role == "duration":
            text = _SECONDS.sub("", text.casefold())
        if not _NUMBER.fullmatch(text):
            raise Refused("type", message)
        raw = int(text) if text.lstrip("+-").isdigit() else float(text)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Refused("type", message)
    if not math.isfinite(raw) if isinstance(raw, float) else abs(raw) > MAX_INTEGER:
        raise _out_of_range(parameter) or Refused("range", "Must be a finite number below 9223372036854775808")
    return raw


def _out_of_range(parameter: Parameter) -> Refused | None:
    low, high = parameter.minimum, parameter.maximum
    allowed = {"min": low, "max": high}
    if low is not None and high is not None:
        return Refused("range", f"Must be between {as_text(low)} and {as_text(high)}", allowed)
    if low is not None:
        return Refused("range", f"Must be at least {as_text(low)}", allowed)
    if high is not None:
        return Refused("range", f"Must be at most {as_text(high)}", allowed)
    return None


def _in_range(parameter: Parameter, number: Number) -> Number:
    low, high = parameter.minimum, parameter.maximum
    refusal = _out_of_range(parameter)
    if refusal and ((low is not None and number < low) or (high is not None and number > high)):
        raise refusal
    if parameter.options and number not in parameter.options and not parameter.open_options:
        raise one_of(parameter)
    return number


def _read_integer(parameter: Parameter, raw: object) -> int:
    if parameter.options and isinstance(raw, str) and comparable(raw, parameter.role) in _labels(parameter):
        raw = _labels(parameter)[comparable(raw, parameter.role)]
    number = _read_number(parameter, raw, "Must be a whole number")
    if number != int(number) or abs(number) > MAX_INTEGER:
        raise Refused("type", "Must be a whole number")
    return _in_range(parameter, int(number))


def _read_float(parameter: Parameter, raw: object) -> float:
    return _in_range(parameter, float(_read_number(parameter, raw, "Must be a number")))


def _read_boolean(_: Parameter, raw: object) -> bool:
    truth = _truth(raw)
    if truth is None:
        raise Refused("type", "Must be true or false", [True, False])
    return truth


def _truth(raw: object) -> bool | None:
    if isinstance(raw, bool | int | float | str):
        return _WORDS.get(comparable(raw))
    return None


def _labels(parameter: Parameter) -> dict[str, Any]:
    return {comparable(label, parameter.role): option for label, option in parameter.labels.items()}


def _read_enum(parameter: Parameter, raw: object) -> Any:
    if not isinstance(raw, str | int | float):
        raise one_of(parameter) if parameter.options else Refused("type", "Must be a text")
    found = _find_option(parameter, raw)
    if found is not None:
        if found in parameter.unsupported:
            raise Refused("unsupported", parameter.unsupported_text, one_of(parameter).allowed)
        return found
    if parameter.options and not parameter.open_options:
        raise one_of(parameter)
    text = _sound_text(raw if isinstance(raw, str) else comparable(raw), "Must be a text").strip()
    if len(text) > MAX_OPTION:
        raise Refused("length", f"Must be at most {MAX_OPTION} characters", MAX_OPTION)
    return text


def _find_option(parameter: Parameter, raw: str | float) -> str | int | float | None:
    wanted = comparable(raw, parameter.role)
    for option in parameter.options:
        if comparable(option, parameter.role) == wanted:
            return option
    if wanted in (labels := _labels(parameter)):
        return labels[wanted]
    truth = _truth(raw)
    truths = {_truth(option): option for option in parameter.options}
    # Only for a switch spelled as an enum, such as on/off: true must not turn into 1 where the options are counts.
    return truths[truth] if truth is not None and truths.keys() == {True, False} else None


def _read_media(parameter: Parameter, raw: object) -> str:
    items = cast(list[object], raw) if isinstance(raw, list) else [raw]
    message = f"Must be one {parameter.media_type} as a URL, a data URI or base64"
    text = _sound_text(items[0] if len(items) == 1 else None, message)
    if not text.strip():
        raise Refused("type", message)
    return text


def _read_array(parameter: Parameter, raw: object) -> list[Any]:
    items = cast(list[object], raw) if isinstance(raw, list) else [raw]
    low, high = parameter.min_items or 0, parameter.max_items or MAX_ITEMS
    if len(items) < low:
        raise Refused("length", f"Must have at least {_items(low)}", [low, high])
    if len(items) > high:
        raise Refused("length", f"Must have at most {_items(high)}", [low, high])
    kind = parameter.items or "string"
    item_parameter = replace(parameter, type=kind, items=None, role=None)
    values: list[Any] = []
    for number, item in enumerate(items, start=1):
        try:
            values.append(read_value(item_parameter, item))
        except Refused as refusal:
            text = refusal.message[0].lower() + refusal.message[1:]
            raise Refused(refusal.code, f"Item {number} {text}", refusal.allowed) from None
    return values


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _read_json(_: Parameter, raw: object) -> Any:
    if not isinstance(raw, list | Mapping):
        raise Refused("type", "Must be a list or an object")
    value = cast(object, raw)
    _check_json(value)
    return value


def _check_json(root: object) -> None:
    """Refuse what JSON cannot carry, the store cannot keep or nobody needs. Raises Refused."""
    waiting: list[tuple[object, int]] = [(root, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > MAX_JSON_DEPTH or seen + len(waiting) > MAX_JSON_VALUES:
            raise Refused("format", f"Must have at most {MAX_JSON_DEPTH} levels and {MAX_JSON_VALUES} values")
        if isinstance(value, str):
            _sound_text(value, "")
        elif isinstance(value, float) and not math.isfinite(value):
            raise Refused("range", "Must contain finite numbers only")
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in cast(list[object], value)]
        elif isinstance(value, Mapping):
            mapping = cast(Mapping[str, object], value)
            waiting += [(item, depth + 1) for item in (*mapping.keys(), *mapping.values())]


_READERS: Final[Mapping[str, Callable[[Parameter, object], Any]]] = {
    "string": _read_text,
    "enum": _read_enum,
    "integer": _read_integer,
    "float": _read_float,
    "boolean": _read_boolean,
    "image": _read_media,
    "audio": _read_media,
    "video": _read_media,
    "array": _read_array,
    "json": _read_json,
}
