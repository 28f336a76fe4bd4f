"""From a cleaned payload to a Plan, and what the engine can do. Pure and light: the API process calls it at submit."""

import math
import re
from collections.abc import Mapping
from typing import Any

from rushes.domain.model_card import ModelCard, Parameter, Role
from rushes.engines.animatic.size import LARGER, MAX_PIXELS, WIDE, Wish, nearest_tier, read_wish, size_of
from rushes.engines.engine import Caps, Picture, Plan
from rushes.engines.reading import Reading, first_reference

FPS = 24
MIN_SECONDS = 0.5
MAX_SECONDS = 30.0
DEFAULT_SECONDS = 5.0
DEFAULT_TIER = "720P"

CAPS = Caps(
    kinds=("t2v", "i2v", "flf2v", "v2v"),
    weightless=True,
    size_multiple=2,
    fps=FPS,
    max_seconds=MAX_SECONDS,
    sound=True,
)

_WITHOUT_EFFECT: tuple[Role, ...] = ("negative", "guidance", "steps", "loop", "mode", "fps")
_HARMLESS = ("prompt_extend", "prompt_optimizer")
"""Rewriting the prompt is a service to a model; leaving it out takes nothing from the customer."""


def normalise(
    card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
) -> Plan:
    """The plan of a cleaned payload: 24 frames per second, exactly 24 times the seconds.

    `seed` is used when the payload names none. Width and height stay None, with the aspect "source", while they follow
    a picture or clip that `pictures` does not hold yet. Raises InvalidInput naming every fault.
    """
    reading = Reading(card, params)
    inputs, kind = _read_inputs(reading)
    seconds = _read_seconds(reading)
    used_seed = reading.seed(seed)
    sound, watermark = reading.switch("sound"), reading.switch("watermark")
    width, height, tier, aspect = _read_size(reading, inputs, pictures or {})
    _note_ignored(reading)
    _note_language(reading, kind)
    reading.settle()
    count = round(seconds * FPS)
    return Plan(
        model=card.id,
        kind=kind,
        prompt=reading.text("prompt"),
        negative_prompt=reading.text("negative"),
        width=width,
        height=height,
        tier=tier,
        aspect=aspect,
        fps=FPS,
        num_frames=count,
        keep_frames=count,
        seconds=count / FPS,
        seed=used_seed,
        sound=sound,
        watermark=watermark,
        inputs=inputs,
        notes=tuple(reading.notes),
        effort="light",
    )


def _read_inputs(reading: Reading) -> tuple[dict[str, str], str]:
    """The references by role, without those that are not drawn, and the kind of video they make."""
    inputs: dict[str, str] = {}
    roles: tuple[Role, ...] = ("image", "last_image", "clip", "audio")
    for role in roles:
        value = reading.value(role)
        if (reference := first_reference(value)) is not None:
            inputs[role] = reference
            if not isinstance(value, str) and len(value) > 1:
                reading.notes.append(f"{reading.name(role)}: the first of {len(value)} is used")
    references = reading.value("references")
    if references:
        _read_references(reading, references, inputs)
    if "clip" in inputs:
        dropped = [role for role in ("image", "last_image") if inputs.pop(role, None)]
        if dropped:
            reading.notes.append("the clip is continued; pictures given beside it are not drawn")
        kind = "v2v"
    elif "last_image" in inputs:
        kind = "flf2v" if "image" in inputs else "i2v"
    else:
        kind = "i2v" if "image" in inputs else "t2v"
    if "audio" in inputs and kind == "t2v":
        reading.notes.append(f"{reading.name('audio')} becomes the sound track; it does not drive the picture")
    return inputs, kind


def _read_references(reading: Reading, references: Any, inputs: dict[str, str]) -> None:
    parameter = reading.card.by_role("references")
    first = first_reference(references) if parameter and parameter.media_type == "image" else None
    name = reading.name("references")
    if first and not inputs.keys() & {"image", "last_image", "clip"}:
        inputs["image"] = first
        reading.notes.append(f"{name}: the first picture serves as the first frame, others are not drawn")
    else:
        reading.notes.append(f"{name} has no effect on the animatic engine")


def _read_seconds(reading: Reading) -> float:
    value = reading.value("duration")
    if value is None:
        return DEFAULT_SECONDS
    seconds = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif match := re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,6})?)\s*(?:s|sec|secs|seconds?)?\s*", str(value).lower()):
        seconds = float(match[1])
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        reading.fault("duration", f"must be between {MIN_SECONDS:g} and {MAX_SECONDS:g} seconds")
        return DEFAULT_SECONDS
    return seconds


def _read_size(
    reading: Reading, inputs: Mapping[str, str], pictures: Mapping[str, Picture]
) -> tuple[int | None, int | None, str, str]:
    """Width, height, tier and aspect. The words may stand under any of the three roles."""
    size, tier, ratio = _read_wishes(reading)
    if size:
        return _exact(reading, size)
    if ratio:
        return *size_of(tier, ratio[0] / ratio[1]), tier, f"{ratio[0]:g}:{ratio[1]:g}"
    leader = next((role for role in ("clip", "image", "last_image") if role in inputs), None)
    if leader is None:
        return *size_of(tier, WIDE), tier, "16:9"
    facts = pictures.get(leader)
    if facts is None or not facts.width or not facts.height:
        return None, None, tier, "source"
    return *size_of(tier, facts.width / facts.height), tier, "source"


def _read_wishes(reading: Reading) -> tuple[tuple[int, int] | None, str, tuple[float, float] | None]:
    roles: tuple[Role, ...] = ("size", "resolution", "ratio")
    wishes: list[tuple[Role, Wish]] = []
    for role in roles:
        value = reading.value(role)
        if value is None or value == "":
            continue
        try:
            wishes.append((role, read_wish(value)))
        except ValueError as refusal:
            reading.fault(role, str(refusal))
    size = next((wish.size for _, wish in wishes if wish.size), None)
    usual = str(reading.card.engine_options.get("tier", DEFAULT_TIER)).upper()
    tier = next((wish.tier for _, wish in wishes if wish.tier), usual)
    ratio = next((wish.ratio for _, wish in wishes if wish.ratio), None)
    if tier in LARGER:
        tier = "1080P"
        if not size:
            reading.notes.append("the animatic engine draws sizes above 1080P at 1080P")
    if size:
        reading.notes.extend(
            f"{reading.name(role)} has no effect beside an exact size"
            for role, wish in wishes
            if not wish.size and _is_given(reading.card.by_role(role), reading.params)
        )
    return size, tier, ratio


def _exact(reading: Reading, size: tuple[int, int]) -> tuple[int, int, str, str]:
    width, height = size
    aspect = f"{width}:{height}"
    if width * height > MAX_PIXELS:
        drawn = size_of("1080P", width / height)
        reading.notes.append(f"the animatic engine draws {width}x{height} at {drawn[0]}x{drawn[1]}")
        return *drawn, "1080P", aspect
    if width % 2 or height % 2:
        reading.notes.append("odd sides are made even")
    width, height = width // 2 * 2, height // 2 * 2
    return width, height, nearest_tier(width, height), aspect


def _note_language(reading: Reading, kind: str) -> None:
    """Say so where a scene has to be painted from words that the painter does not know."""
    letters = [letter for letter in reading.text("prompt") if letter.isalpha()]
    if kind == "t2v" and letters and sum(letter.isascii() for letter in letters) < len(letters) / 2:
        reading.notes.append(f"{reading.name('prompt')}: scenes are painted from English words only")


def _is_given(parameter: Parameter | None, params: Mapping[str, Any]) -> bool:
    """Whether a payload sets a parameter to something other than nothing and its default."""
    if parameter is None:
        return False
    value = params.get(parameter.name)
    return value is not None and value not in ("", [], {}) and value is not False and value != parameter.default


def _note_ignored(reading: Reading) -> None:
    for parameter in reading.card.parameters:
        ignored = parameter.role in _WITHOUT_EFFECT or parameter.role is None
        if not ignored or parameter.name in _HARMLESS or not _is_given(parameter, reading.params):
            continue
        if parameter.role == "fps":
            if str(reading.params[parameter.name]) != str(FPS):
                reading.notes.append(f"{parameter.name}: the animatic engine renders {FPS} frames per second")
        else:
            reading.notes.append(f"{parameter.name} has no effect on the animatic engine")
