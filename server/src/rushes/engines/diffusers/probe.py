"""Whether a folder can do what its card promises, read from the signatures of its pipeline classes."""

import inspect
from collections.abc import Mapping
from typing import Any, Final

from rushes.engines.diffusers.families import Family, class_for
from rushes.engines.diffusers.loader import pipeline_class
from rushes.engines.engine import Unsupported

LENGTHS: Final = ("num_frames", "video_length", "frames")
RATES: Final = ("frame_rate", "fps")
_SOUND: Final = ("vocoder", "audio_vae", "sound_tokenizer")


def keywords(pipeline: Any) -> Mapping[str, inspect.Parameter]:
    """What calling a pipeline (or an object of one) takes."""
    call = pipeline.__call__ if isinstance(pipeline, type) else type(pipeline).__call__
    return inspect.signature(call).parameters


def check_agreement(pipe: Any, family: Family, kinds: tuple[str, ...]) -> None:
    """Compare a loaded folder with its card. Raises Unsupported where they disagree."""
    if not kinds:
        raise Unsupported(f"The card has no parameters for anything that the family {family.name} makes")
    for kind in kinds:
        _check_kind(pipeline_class(class_for(family, type(pipe).__name__, kind)), kind)
    _check_grid(pipe, family)
    if family.sound and not any(pipe.components.get(name) for name in _SOUND):
        raise Unsupported(f"The card promises sound, but {type(pipe).__name__} has no component that makes it")


def _check_kind(made: Any, kind: str) -> None:
    takes = keywords(made)
    if not any(name in takes for name in LENGTHS):
        raise Unsupported(f"{made.__name__} takes no number of frames: it makes no video")
    picture = takes.get("image")
    vace = "video" in takes and "mask" in takes
    if kind == "t2v" and picture is not None and picture.default is inspect.Parameter.empty:
        raise Unsupported(f"{made.__name__} cannot do without a picture, so the card must require one")
    if kind != "t2v" and picture is None and not vace:
        raise Unsupported(f"{made.__name__} takes no picture")
    if kind == "flf2v" and "last_image" not in takes and not vace:
        raise Unsupported(f"{made.__name__} takes no last picture")


def _check_grid(pipe: Any, family: Family) -> None:
    """The card's rules must be multiples of what the VAE and the transformer are built for."""
    spatial = grid(pipe)
    if spatial and family.multiple % spatial:
        raise Unsupported(f"The card says sides are multiples of {family.multiple}, the weights need {spatial}")
    temporal = time_grid(pipe)
    if temporal and family.frame_step % temporal:
        raise Unsupported(f"The card says frames come in steps of {family.frame_step}, the weights need {temporal}")


def grid(pipe: Any) -> int:
    """The multiple that sides must be of, as far as the configuration tells: VAE ratio times patch; else 0."""
    ratio = _first(pipe, "vae_scale_factor_spatial", "vae_spatial_compression_ratio")
    transformer = getattr(pipe, "transformer", None) or getattr(pipe, "transformer_2", None)
    patch = getattr(getattr(transformer, "config", None), "patch_size", 1)
    if isinstance(patch, (list, tuple)):
        patch = patch[-1]  # pyright: ignore[reportUnknownVariableType]
    return int(ratio) * int(patch) if ratio and isinstance(patch, int) else int(ratio)


def time_grid(pipe: Any) -> int:
    """How many frames one latent is, as far as the configuration tells; else 0."""
    return _first(pipe, "vae_scale_factor_temporal", "vae_temporal_compression_ratio")


def _first(pipe: Any, *names: str) -> int:
    return next((int(value) for name in names if isinstance(value := getattr(pipe, name, None), int)), 0)
