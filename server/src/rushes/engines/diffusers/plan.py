"""From a cleaned payload to a Plan. Pure and free of torch: the API process calls it at submit."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from rushes.domain.model_card import ModelCard, Role
from rushes.engines.diffusers.families import Family
from rushes.engines.diffusers.size import (
    TIERS,
    WIDE,
    Fit,
    Size,
    Wish,
    fit_exact,
    fit_tier,
    nearest_tier,
    read_wish,
)
from rushes.engines.diffusers.tuning import Tuning, read_tuning
from rushes.engines.engine import Picture, Plan, Unsupported
from rushes.engines.reading import Reading

MAX_STEPS: Final = 200
LEAST_PART: Final = 10_000
"""Seconds are taken as fractions with at most this denominator: 0.333333 is a third, and 8 of 24 frames."""
MAX_GUIDANCE: Final = 50.0
_WITHOUT_EFFECT: Final = (None, "watermark", "mode", "loop")


@dataclass(slots=True, kw_only=True)
class _Reading(Reading):
    """A payload being read by the rules of a family."""

    tuning: Tuning
    family: Family


def normalise(
    card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
) -> Plan:
    """The plan of a cleaned payload, by the rules of the card's family.

    `num_frames` is the smallest number the family renders that is not shorter than what was asked; `keep_frames` is
    what was asked, or all of them where the last frame is a picture of the customer's. `extra` holds `steps`,
    `guidance`, `rendered` (the size on the model's grid, cropped at its centre to width and height), `flow_shift` and
    `arguments`.
    Width and height stay None while they follow a picture that `pictures` does not hold yet.

    Raises InvalidInput naming every fault; Unsupported when the card itself is wrong.
    """
    tuning = read_tuning(card)
    reading = _Reading(card=card, params=params, tuning=tuning, family=tuning.figures())
    inputs, kind = _read_inputs(reading)
    fps = _read_rate(reading)
    seconds = _read_seconds(reading, fps)
    count = frames_for(seconds, fps, reading.family.frame_step)
    _check_length(reading, count, fps)
    used_seed = reading.seed(seed)
    sound = _read_sound(reading)
    fit, tier, aspect = _read_size(reading, inputs, pictures or {})
    extra = {
        "steps": round(_read_number(reading, "steps", reading.family.steps, 1, MAX_STEPS)),
        "guidance": _read_number(reading, "guidance", reading.family.guidance, 0, MAX_GUIDANCE),
        "rendered": list(fit.rendered) if fit else None,
        "flow_shift": tuning.shift(tier),
        "arguments": _read_arguments(reading),
    }
    _note_ignored(reading)
    reading.settle()
    return Plan(
        model=card.id,
        kind=kind,
        prompt=reading.text("prompt"),
        negative_prompt=reading.text("negative"),
        width=fit.delivered[0] if fit else None,
        height=fit.delivered[1] if fit else None,
        tier=tier,
        aspect=aspect,
        fps=fps,
        num_frames=count,
        keep_frames=count if "last_image" in inputs else min(count, max(1, round(seconds * fps))),
        seconds=float(seconds),
        seed=used_seed,
        sound=sound,
        inputs=inputs,
        extra=extra,
        notes=tuple(reading.notes),
    )


def rendered_size(plan: Plan) -> tuple[int, int]:
    """Width and height on the model's grid. Raises Unsupported for a plan whose size was never settled."""
    rendered = plan.extra.get("rendered")
    if plan.width is None or plan.height is None or not rendered:
        raise Unsupported("The plan has no size; it has to be normalised with the facts of its pictures")
    return int(rendered[0]), int(rendered[1])


def frames_for(seconds: Fraction, fps: int, step: int) -> int:
    """The smallest `step * k + 1` frames that last at least as long as asked (the first frame counts for itself)."""
    return step * math.ceil((seconds * fps - 1) / step) + 1


def kinds_of(card: ModelCard, family: Family) -> tuple[str, ...]:
    """The kinds of video that both the family makes and the card has parameters for."""
    image, last = card.by_role("image"), card.by_role("last_image")
    kinds: list[str] = []
    if not (image and image.required):
        kinds.append("t2v")
    if image and not (last and last.required):
        kinds.append("i2v")
    if image and last:
        kinds.append("flf2v")
    return tuple(kind for kind in kinds if kind in family.pipelines)


def _read_inputs(reading: _Reading) -> tuple[dict[str, str], str]:
    """The references by role, and the kind of video they make."""
    inputs: dict[str, str] = {}
    roles: tuple[Role, ...] = ("image", "last_image")
    for role in roles:
        value = reading.value(role)
        given: list[Any] = value if isinstance(value, list) else [value] if value else []  # pyright: ignore[reportUnknownVariableType]
        if given:
            inputs[role] = str(given[0])
        if len(given) > 1:
            reading.notes.append(f"{reading.name(role)}: the first of {len(given)} is used")
    kind = "flf2v" if "last_image" in inputs else "i2v" if "image" in inputs else "t2v"
    if "last_image" in inputs and "image" not in inputs:
        reading.fault("last_image", f"needs {reading.name('image')} beside it on this model")
    elif kind not in reading.family.pipelines:
        role: Role = "last_image" if kind == "flf2v" else "image"
        words = "is not possible on this model" if inputs else "is needed on this model"
        reading.fault(role, words)
    for role in ("clip", "audio", "references"):
        if reading.value(role):
            reading.fault(role, "is not possible where this model's own weights are used")
    return inputs, kind


def _read_rate(reading: _Reading) -> int:
    value, usual = reading.value("fps"), reading.family.fps
    if value is None or str(value).strip() == "":
        return usual
    try:
        rate = float(value)
    except ValueError:
        rate = math.nan
    if reading.family.free_rate and rate.is_integer() and 8 <= rate <= 60:
        return int(rate)
    if rate == usual:
        return usual
    allowed = "must be a whole number from 8 to 60" if reading.family.free_rate else f"must be {usual} on this model"
    reading.fault("fps", allowed)
    return usual


def _read_seconds(reading: _Reading, fps: int) -> Fraction:
    """The length asked for, exactly. A model's usual frames last frames / fps less the first."""
    usual = Fraction(reading.family.frames - 1, fps) if reading.family.frames > 1 else Fraction(1, fps)
    value = reading.value("duration")
    if value is None:
        return usual
    match = re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,20})?)\s*(?:s|sec|secs|seconds?)?\s*", str(value).lower())
    seconds = Fraction(match[1]).limit_denominator(LEAST_PART) if match and not isinstance(value, bool) else Fraction(0)
    if not seconds:
        reading.fault("duration", "must be a number of seconds above 0")
        return usual
    return seconds


def _check_length(reading: _Reading, count: int, fps: int) -> None:
    """Too long is refused, never shortened in silence."""
    most = (reading.family.most_frames - 1) // reading.family.frame_step * reading.family.frame_step + 1
    if count > most:
        longest = math.floor(most / fps * 100) / 100
        reading.fault("duration", f"must be at most {longest:g} seconds ({most} frames at {fps} a second)")


def _read_sound(reading: _Reading) -> bool:
    """What the switch says; without a switch, or where it is not touched, a model that makes sound makes it."""
    if reading.value("sound") is None:
        return reading.family.sound
    wanted = reading.switch("sound")
    if wanted and not reading.family.sound:
        reading.notes.append(f"{reading.name('sound')}: this model makes no sound")
    return wanted and reading.family.sound


def _read_number(reading: _Reading, role: Role, usual: float, low: float, high: float) -> float:
    value = reading.value(role)
    if value is None or str(value).strip() == "":
        return usual
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not low <= number <= high or (role == "steps" and not number.is_integer()):
        what = "a whole number" if role == "steps" else "a number"
        reading.fault(role, f"must be {what} from {low:g} to {high:g}")
        return usual
    return number


def _read_arguments(reading: _Reading) -> dict[str, Any]:
    """What the card passes to the pipeline: its fixed arguments, then the customer's values."""
    arguments = dict(reading.family.arguments)
    for parameter, keyword in reading.tuning.parameters.items():
        value = reading.params.get(parameter)
        if value is not None:
            arguments[keyword] = value
    return arguments


def _note_ignored(reading: _Reading) -> None:
    """Say what was asked for and is not done: nothing that the model has no use for is dropped in silence."""
    for parameter in reading.card.parameters:
        given = reading.params.get(parameter.name)
        known = parameter.role not in _WITHOUT_EFFECT or parameter.name in reading.tuning.parameters
        if known or given in (None, "", False, parameter.default):
            continue
        reading.notes.append(f"{parameter.name} has no effect where this model's own weights are used")


def _read_size(
    reading: _Reading, inputs: Mapping[str, str], pictures: Mapping[str, Picture]
) -> tuple[Fit | None, str, str]:
    """What is rendered and delivered, its tier, its shape in words. The wishes may stand under any of three roles."""
    size, tier, ratio = _read_wishes(reading)
    family = reading.family
    if size:
        return _exact(reading, size), nearest_tier(size), f"{size[0]}:{size[1]}"
    published = family.sizes.get(tier, ())
    if ratio:
        return fit_tier(tier, ratio, published, family.multiple), tier, f"{ratio:.4g}:1"
    leader = next((role for role in ("image", "last_image") if role in inputs), None)
    if leader is None:
        usual = published[0][0] / published[0][1] if published else WIDE
        return fit_tier(tier, usual, published, family.multiple), tier, f"{usual:.4g}:1"
    facts = pictures.get(leader)
    if facts is None or not facts.width or not facts.height:
        return None, tier, "source"
    return fit_tier(tier, facts.width / facts.height, published, family.multiple), tier, "source"


def _read_wishes(reading: _Reading) -> tuple[Size | None, str, float | None]:
    roles: tuple[Role, ...] = ("size", "resolution", "ratio")
    wishes: list[Wish] = []
    for role in roles:
        value = reading.value(role)
        if value is None or value == "":
            continue
        try:
            wishes.append(read_wish(value))
        except ValueError as refusal:
            reading.fault(role, str(refusal))
    size = next((wish.size for wish in wishes if wish.size), None)
    tier = next((wish.tier for wish in wishes if wish.tier), reading.family.tier)
    return size, tier, next((wish.ratio for wish in wishes if wish.ratio), None)


def _exact(reading: _Reading, size: Size) -> Fit:
    """An exact size, if it is no larger than the model's largest tier."""
    tiers = [*reading.family.sizes, reading.family.tier]
    largest = max(math.prod(TIERS[tier]) for tier in tiers)
    fit = fit_exact(size, reading.family.multiple)
    if math.prod(size) > largest * 1.1:
        reading.fault("size" if reading.value("size") else "resolution", f"must be at most {largest:,} pixels in all")
    elif fit.delivered != size:
        reading.notes.append("odd sides are made even")
    return fit
