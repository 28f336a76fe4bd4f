"""From a cleaned payload to a Plan for an upstream account: the payload itself, and which of its values are files."""

from collections.abc import Mapping
from typing import Any, cast

from rushes.domain.model_card import ModelCard
from rushes.engines.engine import Plan
from rushes.engines.gmi.options import GmiOptions
from rushes.engines.reading import Reading

DEFAULT_SECONDS = 5.0
FPS = 24
"""Only for the plan's frame count; the upstream's file is the truth."""


def normalise(options: GmiOptions, card: ModelCard, params: Mapping[str, Any], seed: int) -> Plan:
    """The cleaned payload goes up unchanged, but for a seed that was not given: the drawn one makes the record true.

    `inputs` has PARAM.N for the Nth file of a parameter. Sizes are the upstream's to choose. Raises InvalidInput.
    """
    reading = Reading(card, params)
    seconds = reading.seconds(DEFAULT_SECONDS)
    used_seed = reading.seed(seed)
    inputs = _inputs(card, params)
    reading.settle()
    count = max(1, round(seconds * FPS))
    return Plan(
        model=card.id,
        kind="i2v" if inputs else "t2v",
        prompt=reading.text("prompt"),
        negative_prompt=reading.text("negative"),
        width=None,
        height=None,
        tier="",
        aspect="source",
        fps=FPS,
        num_frames=count,
        keep_frames=count,
        seconds=seconds,
        seed=used_seed,
        inputs=inputs,
        approximate=reading.value("duration") is None,
        extra={"model": _upstream_name(options, card), "payload": _payload(card, params, used_seed)},
    )


def _inputs(card: ModelCard, params: Mapping[str, Any]) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for parameter in card.parameters:
        value = params.get(parameter.name)
        if parameter.media_type is None or not value:
            continue
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        inputs |= {f"{parameter.name}.{n}": text for n, text in enumerate(values) if isinstance(text, str) and text}
    return inputs


def _payload(card: ModelCard, params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The values that are set; a seed drawn here only where the model takes that very number."""
    payload = {name: value for name, value in params.items() if value is not None}
    parameter = card.by_role("seed")
    if (
        parameter is None
        or parameter.type != "integer"
        or str(payload.get(parameter.name, "")).strip() not in ("", "-1")
    ):
        return payload
    low, high = parameter.minimum, parameter.maximum
    if (low is None or seed >= low) and (high is None or seed <= high):
        payload[parameter.name] = seed
    return payload


def _upstream_name(options: GmiOptions, card: ModelCard) -> str:
    said = next((choice.options.get("model") for choice in card.prefers if choice.engine == "gmi"), None)
    return options.names.get(card.id) or str(said or card.id)
