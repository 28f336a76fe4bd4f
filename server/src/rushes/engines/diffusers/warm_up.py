"""A first run at the card's usual size, so that the first customer does not wait for kernels to be chosen or built."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any, Final

from PIL import Image

from rushes.domain.model_card import ModelCard, Role
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.pipelines import rendered
from rushes.engines.diffusers.plan import kinds_of, normalise
from rushes.engines.engine import Control, Picture, Plan

STEPS = 2
_ROLES: Final[Mapping[str, tuple[Role, ...]]] = {"t2v": (), "i2v": ("image",), "flf2v": ("image", "last_image")}


def warm_up(card: ModelCard, model: Model, control: Control) -> None:
    """Render two steps of each kind the card offers and throw the frames away. Raises Cancelled, OutOfMemory."""
    with TemporaryDirectory(dir=control.scratch) as folder:
        for plan in _plans(card, model, folder):
            for _ in rendered(model, plan, control):
                control.check()


def _plans(card: ModelCard, model: Model, folder: str) -> Iterator[Plan]:
    picture = f"{folder}/grey.png"
    Image.new("RGB", (1280, 720), (128, 128, 128)).save(picture)
    for kind in kinds_of(card, model.family):
        roles = _ROLES[kind]
        params: dict[str, Any] = {p.name: p.default for p in card.parameters if p.default is not None}
        for role in roles:
            parameter = card.by_role(role)
            if parameter:
                params[parameter.name] = picture
        params = {name: value for name, value in params.items() if not _is_other_picture(card, name, roles)}
        plan = normalise(card, params, 0, dict.fromkeys(map(str, roles), Picture(1280, 720)))
        steps = {**plan.extra, "steps": STEPS}
        yield replace(plan, prompt="a lantern", inputs=dict.fromkeys(map(str, roles), picture), extra=steps)


def _is_other_picture(card: ModelCard, name: str, roles: tuple[Role, ...]) -> bool:
    parameter = card.parameter(name)
    return bool(parameter and parameter.media_type and parameter.role not in roles)
