"""Cards for the engine diffusers, made in a line."""

from typing import Any

from rushes.domain.model_card import ModelCard, Parameter, Price

MODEL = "some-weights"


def weights_card(family: str = "wan", *, picture: str = "none", model: str = MODEL, **options: Any) -> ModelCard:
    """A card with every parameter that the engine reads. `picture` is none, optional, required or both (a last one)."""
    parameters = [
        Parameter("prompt", "string", "Prompt", required=True, role="prompt"),
        Parameter("negative_prompt", "string", "Negative prompt", role="negative"),
        Parameter("duration", "float", "Duration", role="duration"),
        Parameter("size", "string", "Size", role="size"),
        Parameter("resolution", "string", "Resolution", role="resolution"),
        Parameter("aspect_ratio", "string", "Ratio", role="ratio"),
        Parameter("fps", "integer", "Frames per second", role="fps"),
        Parameter("seed", "integer", "Seed", role="seed"),
        Parameter("steps", "integer", "Steps", role="steps"),
        Parameter("guidance_scale", "float", "Guidance", role="guidance"),
        Parameter("sound", "boolean", "Sound", role="sound"),
    ]
    if picture != "none":
        parameters.append(Parameter("image", "image", "Image", required=picture != "optional", role="image"))
    if picture == "both":
        parameters.append(Parameter("last_image", "image", "Last image", role="last_image"))
    return ModelCard(
        id=model,
        family="tests",
        org_id="tests",
        task="text-to-video",
        display_name="Some weights",
        brief_description="For tests.",
        detailed_description="For tests.",
        parameters=tuple(parameters),
        price=Price(amount=0),
        engine="diffusers",
        engine_options={"family": family, **options} if family else options,
    )
