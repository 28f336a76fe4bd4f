"""The pipeline object that renders a plan, and the start of its rendering."""

from typing import Any

from rushes.engines.diffusers.embeddings import EmbeddingCache
from rushes.engines.diffusers.families import class_for
from rushes.engines.diffusers.loader import sibling
from rushes.engines.diffusers.memory import device
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.render import Render
from rushes.engines.engine import Control, Plan


def rendered(model: Model, plan: Plan, control: Control) -> Render:
    """Denoise a plan; the frames come when they are iterated."""
    return Render(model, pipeline_for(model, plan.kind), plan, control, device())


def pipeline_for(model: Model, kind: str) -> Any:
    """The pipeline that makes a kind of video: the folder's own, or another class around the same components."""
    name = class_for(model.family, type(model.pipe).__name__, kind)
    if name == type(model.pipe).__name__:
        return model.pipe
    if name not in model.siblings:
        made = sibling(model.pipe, name)
        EmbeddingCache().wrap(made)
        model.siblings[name] = made
    return model.siblings[name]
