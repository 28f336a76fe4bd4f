"""The call of a pipeline for one plan, the same on every rank."""

from typing import Any

from rushes.engines.diffusers.call import arguments, parts
from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.probe import keywords
from rushes.engines.diffusers.steps import Steps
from rushes.engines.engine import Control, Plan, Unsupported


def denoised(model: Model, pipe: Any, plan: Plan, control: Control, output: str) -> Any:
    """What the pipeline gives: latents or, with `output` "pt", frames (1, n, 3, h, w) in 0..1, under `frames`.

    Raises Cancelled at the next step, InvalidInput, Unsupported, and what the library raises.
    """
    if model.split:
        model.split.fit(pipe, plan)
    steps = Steps(control, parts(plan, pipe))
    given = arguments(model, pipe, plan)
    if "callback_on_step_end" in keywords(pipe):
        given["callback_on_step_end"] = steps.after_step
    pipe.progress_bar = steps.bar
    pipe.scheduler = _scheduler(model.scheduler, plan.extra["flow_shift"])
    if model.step_cache:
        model.step_cache.begin(pipe, int(plan.extra["steps"]))
    # Some pipelines draw from the process's own generator as well: noise on a picture in long clips.
    torch.manual_seed(plan.seed)
    try:
        return pipe(**given, output_type=output)
    except BaseException:
        # Under offload the weights of the interrupted component would stay on the device.
        pipe.maybe_free_model_hooks()
        raise
    finally:
        del pipe.progress_bar


def _scheduler(usual: Any, shift: float | None) -> Any:
    """The folder's scheduler, with another shift of the noise where the card asks for it."""
    if shift is None:
        return usual
    key = next((name for name in ("flow_shift", "shift") if name in usual.config), None)
    if key is None:
        raise Unsupported(f"flow_shift: {type(usual).__name__} shifts no noise")
    return usual.from_config(usual.config, **{key: shift})
