"""The Markdown guide of a model, made from its card, so that it cannot say anything the server does not do."""

import json
from typing import Final

from rushes.domain.model_card import MediaLimits, ModelCard, Parameter
from rushes.domain.parameter_value import as_text
from rushes.domain.pricing import dollars
from rushes.domain.tokens import RULE

MEGABYTE: Final = 1024 * 1024
ROUTE: Final = "/api/v1/ie/requestqueue/apikey/requests"


def guide(card: ModelCard, *, engine: str | None = None, level: int = 1) -> str:
    """The usage guide; `engine` is what renders the model on this server, the card's own unless given.

    Headings start at `level`.
    """
    mark = "#" * level
    sections = [
        f"{mark} {card.id} API usage guide",
        f"{mark}# Overview\n\n**{card.display_name}.** {card.brief_description}\n\n{card.detailed_description}",
        f"{mark}# What renders it\n\n{_honesty(card, engine or card.engine)}",
        f"{mark}# Parameters\n\n{_table(card)}\n\n{_reading(card)}",
        f"{mark}# Example\n\n{_example(card)}",
        f"{mark}# Price\n\n{_price(card)}",
    ]
    combinations = _combinations(card)
    if combinations:
        sections.insert(4, f"{mark}# Combinations\n\n{combinations}")
    return "\n\n".join(sections) + "\n"


def _honesty(card: ModelCard, engine: str) -> str:
    if engine == "animatic":
        better = [choice.engine for choice in card.prefers]
        instead = ""
        if better:
            instead = f" Once the operator has configured {' or '.join(better)}, requests are rendered there instead."
        return (
            f"On this server the engine is `animatic`: a storyboard in motion, drawn on the CPU. It has the length, "
            f"shape and sound that were asked for and starts from your picture, but it is not {card.display_name} and "
            f"shows none of its quality.{instead} Every request record names the engine that rendered it."
        )
    if engine == "faults":
        return "On this server the engine is `faults`: plain frames and ordered trouble, for tests."
    return f"On this server the engine is `{engine}`. Every request record names the engine that rendered it."


def _table(card: ModelCard) -> str:
    rows = ["| Parameter | Type | Required | Default | Limits | Description |", "|---|---|---|---|---|---|"]
    for parameter in card.parameters:
        cells = (
            f"`{parameter.name}`",
            f"array of {parameter.items}" if parameter.type == "array" else parameter.type,
            "yes" if parameter.required else "no",
            _default(parameter),
            "; ".join(_limits(parameter)) or "-",
            parameter.description or "-",
        )
        rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(rows)


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return "-"
    return f"`{json.dumps(parameter.default, ensure_ascii=False)}`"


def _limits(parameter: Parameter) -> list[str]:
    low, high = parameter.minimum, parameter.maximum
    limits: list[str] = []
    if parameter.options:
        known = ", ".join(f"`{option}`" for option in parameter.options if option not in parameter.unsupported)
        limits.append(f"{known}; others are passed on" if parameter.open_options else f"one of {known}")
    elif parameter.open_options:
        limits.append("values not documented, any is passed on")
    if parameter.unsupported:
        refused = ", ".join(f"`{option}`" for option in parameter.unsupported)
        limits.append(f"{refused} refused, {parameter.unsupported_text}")
    if low is not None and high is not None:
        limits.append(f"{as_text(low)} to {as_text(high)}")
    elif low is not None or high is not None:
        limits.append(f"at least {as_text(low)}" if low is not None else f"at most {as_text(high or 0)}")
    if parameter.max_length:
        limits.append(f"at most {parameter.max_length} characters")
    if parameter.max_tokens:
        limits.append(f"at most {parameter.max_tokens} tokens")
    if parameter.max_items:
        limits.append(f"{parameter.min_items or 0} to {parameter.max_items} items")
    return limits + (_media_limits(parameter.media) if parameter.media else [])


def _media_limits(media: MediaLimits) -> list[str]:
    limits: list[str] = []
    if media.formats:
        limits.append(", ".join(media.formats))
    if media.max_bytes:
        limits.append(f"at most {as_text(media.max_bytes / MEGABYTE)} MB")
    if media.min_side and media.max_side:
        limits.append(f"{media.min_side} to {media.max_side} px a side")
    elif media.min_side or media.max_side:
        limits.append(f"at least {media.min_side} px" if media.min_side else f"at most {media.max_side} px a side")
    if media.max_aspect:
        limits.append(f"longer side at most {as_text(media.max_aspect)} times the shorter")
    if media.min_seconds is not None and media.max_seconds is not None:
        limits.append(f"{as_text(media.min_seconds)} to {as_text(media.max_seconds)} s")
    return limits


def _reading(card: ModelCard) -> str:
    """How values are understood, as far as this model has such parameters."""
    sentences = ["Numbers may be sent as text, and null means that a parameter is left out."]
    if any(parameter.media_type for parameter in card.parameters):
        sentences.append("Pictures, sounds and videos are given as a URL, a data URI or base64.")
    if card.by_role("seed"):
        sentences.append("A seed of -1 draws one.")
    if any(parameter.max_tokens for parameter in card.parameters):
        sentences.append(f"Tokens are counted by a rule of our own: {RULE}.")
    sentences.append(
        "Where the public documents name no limit or default, this server sets one. Parameters the model does not "
        "have are left out and reported in `warnings`."
    )
    return " ".join(sentences)


def _combinations(card: ModelCard) -> str:
    lines = [f"- At least one of {', '.join(f'`{name}`' for name in group)} is needed." for group in card.requires_any]
    lines += [f"- {'Refused' if rule.refuse else 'Allowed'}: {rule.text.rstrip('.')}." for rule in card.rules]
    return "\n".join(lines)


def _example(card: ModelCard) -> str:
    body = json.dumps({"model": card.id, "payload": dict(card.example)}, indent=2, ensure_ascii=False)
    quoted = body.replace("'", "'\\''")
    return (
        "```bash\n"
        f'curl -X POST "$RUSHES_URL{ROUTE}" \\\n'
        '  -H "Authorization: Bearer $GMI_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{quoted}'\n"
        "```\n\n"
        f"Then `GET {ROUTE}/{{request_id}}` until `status` is `success`, `failed` or `cancelled`; the video is at "
        "`outcome.video_url`."
    )


def _price(card: ModelCard) -> str:
    price = card.price
    words = price.details.rstrip(".") or f"{dollars(price.amount)}/{price.unit}"
    if price.public:
        return f"{words}. Public figure as of {price.as_of}, from {price.source.rstrip('.')}. Operators may change it."
    return f"{words}. No public figure is known; this is our default. Operators may change it."
