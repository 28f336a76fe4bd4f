"""How one value is read: every row is a parameter, what a client sent, and what comes of it."""

import math
from typing import Any

import pytest
from rushes.domain.model_card import Parameter
from rushes.domain.parameter_value import Refused, is_absent, read_value


def parameter(kind: Any, **fields: Any) -> Parameter:
    return Parameter(name="p", type=kind, display_name="P", **fields)


LENGTH = parameter("integer", role="duration", minimum=2, maximum=15)
TEXT_LENGTH = parameter("enum", role="duration", options=("5", "10"))
UNIT_LENGTH = parameter("enum", role="duration", options=("5s", "9s"))
TIER = parameter("enum", role="resolution", options=("720P", "1080P"))
SIZE = parameter("enum", role="size", options=("1280*720", "720*1280"), labels={"720p": "1280*720"})
SWITCH = parameter("enum", role="sound", options=("yes", "no"))
NUMBERED = parameter("integer", options=(4, 6, 8))
SEED = parameter("integer", role="seed", minimum=0, maximum=2147483647)
TEXT_SEED = parameter("string", role="seed")
GUIDANCE = parameter("float", minimum=0, maximum=1)
OPEN = parameter("enum", options=("auto",), open_options=True)
UNKNOWN = parameter("enum", open_options=True)
PICTURE = parameter("image")
PICTURES = parameter("array", items="image", max_items=3)
IDS = parameter("array", items="string", min_items=1)

READ = [
    (LENGTH, 5, 5),
    (LENGTH, 5.0, 5),
    (LENGTH, "5", 5),
    (LENGTH, " 5.0 ", 5),
    (LENGTH, "5s", 5),
    (LENGTH, "5 seconds", 5),
    (TEXT_LENGTH, 5, "5"),
    (TEXT_LENGTH, 5.0, "5"),
    (TEXT_LENGTH, "5s", "5"),
    (TEXT_LENGTH, "10", "10"),
    (UNIT_LENGTH, 9, "9s"),
    (UNIT_LENGTH, "9", "9s"),
    (UNIT_LENGTH, "5S", "5s"),
    (TIER, "720p", "720P"),
    (TIER, "720", "720P"),
    (TIER, 1080, "1080P"),
    (SIZE, "1280x720", "1280*720"),
    (SIZE, "1280×720", "1280*720"),
    (SIZE, "720P", "1280*720"),
    (SWITCH, "YES", "yes"),
    (SWITCH, True, "yes"),
    (SWITCH, "off", "no"),
    (SWITCH, 0, "no"),
    (NUMBERED, "6", 6),
    (SEED, "42", 42),
    (SEED, 0, 0),
    (TEXT_SEED, "90347039510843", "90347039510843"),
    (TEXT_SEED, 42, "42"),
    (GUIDANCE, "0.5", 0.5),
    (GUIDANCE, 1, 1.0),
    (parameter("boolean"), True, True),
    (parameter("boolean"), "true", True),
    (parameter("boolean"), "On", True),
    (parameter("boolean"), "yes", True),
    (parameter("boolean"), 1, True),
    (parameter("boolean"), "0", False),
    (parameter("boolean"), "no", False),
    (OPEN, "AUTO", "auto"),
    (OPEN, "disabled", "disabled"),
    (UNKNOWN, 7, "7"),
    (PICTURE, "https://example.com/a.png", "https://example.com/a.png"),
    (PICTURE, ["data:image/png;base64,AA=="], "data:image/png;base64,AA=="),
    (PICTURES, "https://example.com/a.png", ["https://example.com/a.png"]),
    (PICTURES, ["a", "b"], ["a", "b"]),
    (parameter("json"), {"a": [1, None]}, {"a": [1, None]}),
    (parameter("string"), "", ""),
    (parameter("string", max_length=3), "äöü", "äöü"),
]


@pytest.mark.parametrize(("spec", "sent", "read"), READ)
def test_a_value_is_read_as_the_card_would_write_it(spec: Parameter, sent: object, read: object) -> None:
    value = read_value(spec, sent)
    assert value == read
    assert type(value) is type(read)
    assert read_value(spec, value) == value


REFUSED = [
    (LENGTH, 16, "range", "Must be between 2 and 15"),
    (LENGTH, 1, "range", "Must be between 2 and 15"),
    (LENGTH, "1e400", "range", "Must be between 2 and 15"),
    (LENGTH, 10**400, "range", "Must be between 2 and 15"),
    (LENGTH, 5.5, "type", "Must be a whole number"),
    (LENGTH, "five", "type", "Must be a whole number"),
    (LENGTH, True, "type", "Must be a whole number"),
    (LENGTH, [5], "type", "Must be a whole number"),
    (LENGTH, {}, "type", "Must be a whole number"),
    (TEXT_LENGTH, 7, "enum", "Must be one of 5, 10"),
    (TEXT_LENGTH, True, "enum", "Must be one of 5, 10"),
    (TEXT_LENGTH, ["5"], "enum", "Must be one of 5, 10"),
    (TIER, "4K", "enum", "Must be one of 720P, 1080P"),
    (NUMBERED, 5, "enum", "Must be one of 4, 6, 8"),
    (parameter("enum", options=("1", "2")), True, "enum", "Must be one of 1, 2"),
    (parameter("enum", options=("on", "auto")), True, "enum", "Must be one of on, auto"),
    (SWITCH, 2, "enum", "Must be one of yes, no"),
    (SEED, -2, "range", "Must be between 0 and 2147483647"),
    (TEXT_SEED, "abc", "type", "Must be a whole number"),
    (GUIDANCE, math.nan, "range", "Must be between 0 and 1"),
    (GUIDANCE, math.inf, "range", "Must be between 0 and 1"),
    (GUIDANCE, "nan", "type", "Must be a number"),
    (parameter("float"), -math.inf, "range", "Must be a finite number below 9223372036854775808"),
    (parameter("float", minimum=0), -1, "range", "Must be at least 0"),
    (parameter("float", maximum=2.5), 3, "range", "Must be at most 2.5"),
    (parameter("boolean"), "perhaps", "type", "Must be true or false"),
    (parameter("boolean"), 2, "type", "Must be true or false"),
    (parameter("boolean"), None, "type", "Must be true or false"),
    (parameter("string"), 5, "type", "Must be a text"),
    (parameter("string"), "a\x00b", "format", "Must not contain a NUL character or half a surrogate pair"),
    (parameter("string"), "\ud800", "format", "Must not contain a NUL character or half a surrogate pair"),
    (parameter("string", max_length=3), "four", "length", "Must be at most 3 characters and has 4"),
    (parameter("string"), "x" * 32_001, "length", "Must be at most 32000 characters and has 32001"),
    (UNKNOWN, "x" * 201, "length", "Must be at most 200 characters"),
    (PICTURE, "  ", "type", "Must be one image as a URL, a data URI or base64"),
    (PICTURE, 5, "type", "Must be one image as a URL, a data URI or base64"),
    (PICTURE, ["a", "b"], "type", "Must be one image as a URL, a data URI or base64"),
    (PICTURES, ["a", "b", "c", "d"], "length", "Must have at most 3 items"),
    (PICTURES, ["a", 5], "type", "Item 2 must be one image as a URL, a data URI or base64"),
    (IDS, [], "length", "Must have at least 1 item"),
    (IDS, ["a"] * 101, "length", "Must have at most 100 items"),
    (IDS, [["a"]], "type", "Item 1 must be a text"),
    (parameter("json"), "x", "type", "Must be a list or an object"),
    (parameter("json"), [math.nan], "range", "Must contain finite numbers only"),
]


@pytest.mark.parametrize(("spec", "sent", "code", "message"), REFUSED)
def test_a_value_that_cannot_be_used_is_refused_with_its_rule(
    spec: Parameter, sent: object, code: str, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_value(spec, sent)
    assert (refused.value.code, refused.value.message) == (code, message)


def test_options_that_are_not_supported_yet_are_refused_in_the_documents_words() -> None:
    mode = parameter("enum", options=("fast", "std"), unsupported=("fast",), unsupported_text="only std works")
    with pytest.raises(Refused) as refused:
        read_value(mode, "FAST")
    assert (refused.value.code, refused.value.message, refused.value.allowed) == (
        "unsupported",
        "only std works",
        ["std"],
    )


def test_json_that_is_too_deep_or_too_much_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    for value in (deep, [0] * 10_000, {str(number): 0 for number in range(6_000)}):
        with pytest.raises(Refused, match="Must have at most 32 levels and 10000 values"):
            read_value(parameter("json"), value)


@pytest.mark.parametrize(
    ("spec", "sent", "absent"),
    [
        (LENGTH, None, True),
        (SEED, -1, True),
        (SEED, "-1", True),
        (SEED, -1.0, True),
        (SEED, 1, False),
        (LENGTH, -1, False),
        (LENGTH, "", True),
        (PICTURE, " ", True),
        (parameter("string"), "", False),
        (PICTURES, [], False),
    ],
)
def test_null_and_a_seed_of_minus_one_mean_not_given(spec: Parameter, sent: object, absent: bool) -> None:
    assert is_absent(spec, sent) is absent
