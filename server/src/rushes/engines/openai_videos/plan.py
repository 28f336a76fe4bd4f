"""From a cleaned payload to a Plan for a server of the OpenAI video shape. Pure: the API process calls it at submit."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rushes.domain.model_card import ModelCard
from rushes.engines.engine import Picture, Plan
from rushes.engines.openai_videos.options import OpenAIVideosOptions
from rushes.engines.openai_videos.size import MAX_SIDE, Wishes, size_of, snapped
from rushes.engines.reading import Reading, first_reference

WIDE = Fraction(16, 9)
DEFAULT_SECONDS = 5.0


def normalise(
    options: OpenAIVideosOptions,
    card: ModelCard,
    params: Mapping[str, Any],
    seed: int,
    pictures: Mapping[str, Picture] | None,
) -> Plan:
    """Frames are step x k + 1, never fewer than asked; all are kept, as the server's file is. Raises InvalidInput."""
    reading = Reading(card, params)
    image = _image(options, reading)
    seconds = reading.seconds(min(DEFAULT_SECONDS, options.max_seconds), options.max_seconds)
    wanted = Fraction(seconds).limit_denominator(1000) * options.fps
    frames = options.frame_step * math.ceil((max(wanted, 1) - 1) / options.frame_step) + 1
    used_seed = reading.seed(seed)
    width, height, aspect = _size(options, reading, (pictures or {}).get("image") if image else None, bool(image))
    extra = _extra(options, reading)
    reading.settle()
    return Plan(
        model=card.id,
        kind="i2v" if image else "t2v",
        prompt=reading.text("prompt").strip() or options.neutral_prompt,
        negative_prompt=reading.text("negative"),
        width=width,
        height=height,
        tier="",
        aspect=aspect,
        fps=options.fps,
        num_frames=frames,
        keep_frames=frames,
        seconds=seconds,
        seed=used_seed,
        sound=reading.switch("sound"),
        inputs={"image": image} if image else {},
        extra=extra,
        notes=tuple(reading.notes),
    )


def _image(options: OpenAIVideosOptions, reading: Reading) -> str | None:
    """The picture to start from. What the server cannot be told is refused, not left out."""
    for role in ("last_image", "clip", "audio", "references"):
        if first_reference(reading.value(role)):
            reading.fault(role, "cannot be used by the server that renders this model here")
    image = first_reference(reading.value("image"))
    if image and not options.images:
        reading.fault("image", "cannot be used by the server that renders this model here")
    if options.images and not image:
        reading.fault("image", "is needed by the server that renders this model here")
    return image


def _size(
    options: OpenAIVideosOptions, reading: Reading, picture: Picture | None, follows: bool
) -> tuple[int | None, int | None, str]:
    wishes, multiple = Wishes(reading, _tier(options, reading)), options.size_multiple
    if wishes.size:
        width, height = snapped(Fraction(wishes.size[0]), Fraction(wishes.size[1]), multiple)
        if (width, height) != wishes.size:
            reading.notes.append(f"{wishes.size[0]}x{wishes.size[1]} is rendered as {width}x{height}")
        aspect = f"{wishes.size[0]}:{wishes.size[1]}"
    elif wishes.ratio or not follows:
        ratio = wishes.ratio or WIDE
        width, height = size_of(wishes.short, ratio, multiple)
        aspect = f"{ratio.numerator}:{ratio.denominator}"
    elif picture is None or not picture.width or not picture.height:
        return None, None, "source"
    else:
        ratio = min(max(Fraction(picture.width, picture.height), Fraction(1, 3)), Fraction(3))
        width, height = size_of(wishes.short, ratio, multiple)
        aspect = "source"
    if max(width, height) > MAX_SIDE or width * height > options.max_pixels:
        role = "size" if reading.card.by_role("size") else "resolution"
        reading.fault(role, f"{width}x{height} is larger than the server that renders this model here takes")
    return width, height, aspect


def _tier(options: OpenAIVideosOptions, reading: Reading) -> str:
    """The resolution of a payload that names none: the card's, where its name says it, or the table's."""
    return str(reading.card.engine_options.get("tier", options.default_tier))


def _extra(options: OpenAIVideosOptions, reading: Reading) -> dict[str, Any]:
    """Fields of the form beside those that every plan has, and what goes into extra_params."""
    fields = dict(options.parameters)
    steps, guidance = reading.number("steps", 1, 200), reading.number("guidance", 0, 20)
    if steps is not None:
        fields["num_inference_steps"] = round(steps)
    if guidance is not None:
        fields["guidance_scale"] = guidance
    passed = {
        theirs: reading.params[ours]
        for ours, theirs in options.extra_parameters.items()
        if reading.params.get(ours) is not None
    }
    return {"fields": fields, "extra_params": passed}
