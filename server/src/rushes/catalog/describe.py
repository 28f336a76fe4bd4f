"""A model card as the wire shows it: the model object of WIRE.md section 2.4."""

from typing import Any, Final

from rushes.catalog.guide import guide
from rushes.domain.model_card import MediaLimits, ModelCard, Parameter

__all__ = ["guide", "model_object"]

PRICING_TYPES: Final = {"second": "per_second", "request": "per_request", "image": "per_image"}


def model_object(card: ModelCard, *, engine: str, available: bool, accessible: bool, qworkers: int) -> dict[str, Any]:
    """Everything a client may know of a model. Every key is always present; numbers clients parse are integers.

    `engine` is what renders the model here and now, `available` whether something can run it at present, `accessible`
    whether the caller may use it, `qworkers` how many alive qworkers serve it.
    """
    return {
        "model": card.id,
        "org_id": card.org_id,
        "display_name": card.display_name,
        "brief_description": card.brief_description,
        "detailed_description": guide(card, engine=engine),
        "model_type": card.model_type,
        "status": "active",
        "tags": list(card.tags),
        "modalities": _modalities(card),
        "parameters": [_parameter_object(parameter) for parameter in card.parameters],
        "price_info": {
            "price": card.price.amount,
            "pricing_type": PRICING_TYPES[card.price.unit],
            "unit": card.price.unit,
        },
        "pricing_details": card.price.details,
        "icon_link": "",
        "background_image_url": "",
        "external_api_endpoint": "",
        "external_api_url": "",
        "external_provider": "",
        "internal_parameters": {},
        "host_type": "",
        "qworkers": qworkers,
        "created_at": card.created_at,
        "updated_at": card.created_at,
        "engine": engine,
        "available": available,
        "accessible": accessible,
        "aliases": list(card.aliases),
        "task": card.task,
        **_additions(card),
    }


def _additions(card: ModelCard) -> dict[str, Any]:
    """What the page needs beside the documented keys."""
    return {
        "family": card.family,
        "example": dict(card.example),
        "requires_any": [list(group) for group in card.requires_any],
        "price_is_public": card.price.public,
        "synchronous_post": card.synchronous_post,
    }


def _modalities(card: ModelCard) -> dict[str, list[dict[str, Any]]]:
    inputs: dict[str, bool] = {}
    for parameter in card.parameters:
        kind = "text" if parameter.role == "prompt" else parameter.media_type
        if kind:
            inputs[kind] = inputs.get(kind, False) or parameter.required
    outputs = [{"type": "video", "required": True}]
    if card.by_role("sound"):
        outputs.append({"type": "audio", "required": False})
    return {"input": [{"type": kind, "required": required} for kind, required in inputs.items()], "output": outputs}


def _parameter_object(parameter: Parameter) -> dict[str, Any]:
    low, high = _number(parameter.minimum), _number(parameter.maximum)
    options = [option for option in parameter.options if option not in parameter.unsupported]
    return {
        "name": parameter.name,
        "display_name": parameter.display_name,
        "description": parameter.description,
        "type": parameter.type,
        "required": parameter.required,
        "default_value": parameter.default,
        "options": options,
        "min_value": low,
        "max_value": high,
        "key": parameter.name,
        "min": low,
        "max": high,
        "step": _number(parameter.step),
        "role": parameter.role,
        "items": parameter.items,
        "min_items": parameter.min_items,
        "max_items": parameter.max_items,
        "max_length": parameter.max_length,
        "open_options": parameter.open_options,
        "formats": list(parameter.media.formats) if parameter.media else [],
        "media_limits": _media_limits(parameter.media) if parameter.media else None,
    }


def _media_limits(limits: MediaLimits) -> dict[str, float | int | None]:
    """What the card asks of a file beyond its format; None is no limit of the card's own."""
    return {
        "max_bytes": limits.max_bytes,
        "min_side": limits.min_side,
        "max_side": limits.max_side,
        "max_aspect": _number(limits.max_aspect),
        "min_seconds": _number(limits.min_seconds),
        "max_seconds": _number(limits.max_seconds),
    }


def _number(value: float | None) -> float | int | None:
    """A limit as JSON shows it best: 15 rather than 15.0."""
    return int(value) if value is not None and float(value).is_integer() else value
