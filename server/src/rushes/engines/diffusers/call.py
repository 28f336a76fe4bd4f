"""From a Plan to the keywords of a pipeline's call."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from PIL import Image

from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.plan import rendered_size
from rushes.engines.diffusers.probe import LENGTHS, RATES, keywords
from rushes.engines.engine import Plan, Unsupported

GREY: Final = (128, 128, 128)


def arguments(model: Model, pipe: Any, plan: Plan) -> dict[str, Any]:
    """Everything a pipeline is called with but the hooks and the output's form; only keywords it has.

    The generator is the CPU's whatever the device: noise is drawn there and moved, so that one seed means one noise.
    Raises Unsupported when the card passes a keyword that the pipeline does not have.
    """
    width, height = rendered_size(plan)
    takes = keywords(pipe)
    extra: Mapping[str, Any] = plan.extra["arguments"]
    unknown = [name for name in extra if name not in takes]
    if unknown:
        raise Unsupported(f"{type(pipe).__name__} takes no {', '.join(unknown)}, which the card passes")
    wanted: dict[str, Any] = {
        "prompt": plan.prompt,
        "negative_prompt": plan.negative_prompt or None,
        "width": width,
        "height": height,
        "num_inference_steps": plan.extra["steps"],
        "generator": torch.Generator("cpu").manual_seed(plan.seed),
        **dict.fromkeys(LENGTHS, plan.num_frames),
        **dict.fromkeys(RATES, plan.fps),
        **_guidance(model, pipe, float(plan.extra["guidance"])),
        **_pictures(pipe, plan, width, height),
        **extra,
    }
    if "overlap_history" in wanted and plan.num_frames <= int(wanted.get("base_num_frames", 97)):
        wanted["overlap_history"] = None  # a clip that is done in one part overlaps with nothing
    return {name: value for name, value in wanted.items() if name in takes}


def parts(plan: Plan, pipe: Any) -> int:
    """How many times the pipeline goes through its steps: more than once for a long clip by diffusion forcing."""
    extra: Mapping[str, Any] = plan.extra["arguments"]
    base, overlap = extra.get("base_num_frames"), extra.get("overlap_history")
    if not base or not overlap or plan.num_frames <= base:
        return 1
    ratio = int(getattr(pipe, "vae_scale_factor_temporal", 4))
    latents = (plan.num_frames - 1) // ratio + 1
    base_latents, overlap_latents = (base - 1) // ratio + 1, (overlap - 1) // ratio + 1
    return 1 + -(-(latents - base_latents) // (base_latents - overlap_latents))


def _guidance(model: Model, pipe: Any, scale: float) -> dict[str, float]:
    if model.family.guidance_by != "guider":
        return {model.family.guidance_by: scale}
    # No keyword at all: the object that holds the scale is replaced, and the run leaves no trace in the next one.
    pipe.guider = pipe.guider.new(guidance_scale=scale)
    return {}


def _pictures(pipe: Any, plan: Plan, width: int, height: int) -> dict[str, Any]:
    """The pictures at the rendered size. Pipelines would stretch them; here they are cropped to shape, then scaled."""
    if not plan.inputs:
        return {}
    pictures = {role: _fitted(path, width, height) for role, path in plan.inputs.items()}
    takes = keywords(pipe)
    if "mask" in takes and "video" in takes:
        return _masked(pictures, plan.num_frames, width, height)
    if "width" not in takes:
        # The pipeline works its size out from the picture; it is to be the plan's.
        pipe.video_processor.calculate_default_height_width = _always(height, width)
    return pictures


def _always(height: int, width: int) -> Callable[..., tuple[int, int]]:
    def size(**_: Any) -> tuple[int, int]:
        return height, width

    return size


def _masked(pictures: Mapping[str, Image.Image], count: int, width: int, height: int) -> dict[str, Any]:
    """VACE takes a clip and a mask: white where it is to invent, black where the clip is to stay."""
    video = [Image.new("RGB", (width, height), GREY)] * count
    mask = [Image.new("L", (width, height), 255)] * count
    for role, index in (("image", 0), ("last_image", -1)):
        if role in pictures:
            video[index] = pictures[role]
            mask[index] = Image.new("L", (width, height), 0)
    return {"video": video, "mask": mask}


def _fitted(path: str, width: int, height: int) -> Image.Image:
    """The picture cropped at its centre to the shape and scaled to the size."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = max(width / picture.width, height / picture.height)
    across, down = width / scale, height / scale
    left, top = (picture.width - across) / 2, (picture.height - down) / 2
    return picture.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, left + across, top + down))
