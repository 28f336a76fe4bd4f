"""A wrong card is refused with file, line and reason. Each row changes one line of a good card."""

from pathlib import Path

import pytest
from rushes.catalog.loader import check_file

GOOD = """\
family: mine
org_id: me
created: 2026-01-02
prefers: [{engine: gmi, model: theirs}]
models:
  - id: one
    task: text-to-video
    display_name: One
    brief: The first.
    description: Made here.
    parameters:
      - {name: prompt, type: string, required: true}
      - {name: duration, type: integer, default: 5, min: 2, max: 15}
      - {name: resolution, type: enum, default: 720P, options: [480P, 720P]}
      - {name: mode, type: enum, options: [std, pro], unsupported: [pro], unsupported_text: not yet}
      - {name: image, type: image, limits: {formats: [png], max_mb: 1}}
      - {name: pictures, type: "array[image]", max_items: 3}
    requires_any: [[prompt, image]]
    rules:
      - {given: [image], values: {duration: 15}, refuse: too long}
    price: {usd: 0.1, by: resolution, table_usd: {480P: 0.05}}
    example: {prompt: x, duration: 3}
"""

FAULTS = [
    ("family: mine", "family: [mine]", 1, "family must be a text"),
    ("family: mine", "families: mine", 1, "a card file needs family, a text"),
    ("created: 2026-01-02", "created: last year", 3, "created must be a day such as 2026-11-20"),
    ("prefers: [{engine: gmi, model: theirs}]", "prefers: [{model: theirs}]", 4, "a preferred engine needs engine"),
    ("  - id: one", "  - id: ''", 6, "id must be a text"),
    ("brief: The first.", "short: The first.", 9, "short is not known in a model"),
    ("type: string, required: true", "type: text", 12, "text is not a type; known are string, enum"),
    ("name: prompt, type: string", 'name: prompt, type: "array[array]"', 12, "array[array] is not a type"),
    ("name: prompt", "name: 1prompt", 12, "1prompt is not a parameter name"),
    ("required: true", "required: perhaps", 12, "required must be true or false"),
    ("default: 5,", "default: 16,", 13, "default breaks the parameter's own rule. Must be between 2 and 15"),
    ("default: 5,", 'default: "5",', 13, "default must be written as its option is"),
    ("min: 2, max: 15", "min: 16, max: 15", 13, "min must not be above max"),
    ("min: 2,", "min: two,", 13, "min must be a number"),
    ("min: 2,", "minimum: 2,", 13, "minimum is not known in a parameter"),
    ("min: 2,", "role: length,", 13, "length is not a role; known are none, prompt"),
    ("options: [480P, 720P]", "options: 720P", 14, "options must be a list"),
    ("options: [480P, 720P]", "options: [[720P]]", 14, "options must hold texts and numbers only"),
    ("default: 720P, options: [480P, 720P]", "default: 720P", 14, "an enum needs options, or open_options"),
    ("name: resolution", "name: duration", 14, "duration names two parameters"),
    ("unsupported: [pro]", "unsupported: [max]", 15, "max is not among the options"),
    (", unsupported_text: not yet", "", 15, "unsupported options need an unsupported_text"),
    ("formats: [png]", "formats: [5]", 16, "formats must hold texts only"),
    ("formats: [png]", "colours: 5", 16, "colours is not known in limits"),
    ("name: image, type: image", "name: image, type: json", 16, "limits belong to image, audio and video parameters"),
    ("max_items: 3", "options: [a]", 17, "a parameter of type array takes no options"),
    ("max_items: 3", "max_items: 0", 17, "max_items must be a whole number of at least 1"),
    ("requires_any: [[prompt, image]]", "requires_any: [[prompt, clip]]", 18, "requires_any names clip"),
    ("requires_any: [[prompt, image]]", "requires_any: [[5]]", 18, "requires_any must hold names or lists of names"),
    ("given: [image],", "given: [sound],", 19, "rules names sound, which is not a parameter"),
    (", refuse: too long", "", 20, "a rule needs either refuse or warn"),
    ("{given: [image], values: {duration: 15}, refuse: too long}", "{warn: odd}", 20, "a rule needs a condition"),
    ("by: resolution", "by: weather", 21, "the price goes by weather, which is no parameter and no role"),
    ("by: resolution, ", "", 21, "by and a table of amounts belong together"),
    ("usd: 0.1,", "usd: cheap,", 21, "a price in dollars must be a number"),
    ("usd: 0.1,", "usd: 0.0000001,", 21, "a price must be whole micro-dollars"),
    ("usd: 0.1,", "usd: 0.1, amount: 100000,", 21, "a price needs either usd or amount"),
    ("usd: 0.1,", "usd: 0.1, unit: minute,", 21, "minute is not a unit; known are second, request, image"),
    ("usd: 0.1,", "usd: 0.1, public: true,", 21, "a public price needs its source and as_of"),
    ("example: {prompt: x, duration: 3}", "example: {duration: 30}", 22, "the example does not work: prompt, Required"),
    ("example: {prompt: x, duration: 3}", "example: 5", 22, "example must be a mapping"),
    ("    example: {prompt: x, duration: 3}\n", "", 6, "a model needs an example"),
    ("example: {prompt: x", "example: {prompt: *x", 22, "is not YAML: found undefined alias"),
    ("example: {prompt: x", "example: {prompt: x, prompt: y", 22, "prompt is given twice"),
    ("example: {prompt: x", "example: {prompt: !!python/name:os.system x", 22, "is not allowed"),
]


@pytest.mark.parametrize(("good", "wrong", "line", "reason"), FAULTS)
def test_a_wrong_card_is_refused_with_its_line(tmp_path: Path, good: str, wrong: str, line: int, reason: str) -> None:
    assert GOOD.count(good) == 1
    path = tmp_path / "cards.yaml"
    path.write_text(GOOD.replace(good, wrong))
    found = check_file(path)
    assert any(fault.startswith(f"{path}:{line}: ") and reason in fault for fault in found), found


def test_the_card_that_the_rows_change_is_good(tmp_path: Path) -> None:
    path = tmp_path / "cards.yaml"
    path.write_text(GOOD)
    assert check_file(path) == []


def test_all_faults_of_a_file_are_reported_in_the_order_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "cards.yaml"
    path.write_text(
        GOOD.replace("created: 2026-01-02", "created: 5").replace("min: 2", "min: x").replace("usd: 0.1,", "")
    )
    assert [fault.split(":")[1] for fault in check_file(path)] == ["3", "13", "21"]


@pytest.mark.parametrize(
    "text", ["", "- a", "models: []", "5", "\x00", "a: &a [*a]", "{{{{", "a: 'x", "[" * 200, "? [a]"]
)
def test_a_file_that_is_no_card_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cards.yaml"
    path.write_text(text)
    assert check_file(path)
