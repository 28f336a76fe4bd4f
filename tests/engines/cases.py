"""The tiny folders with the families and pictures that go with them."""

from dataclasses import dataclass
from typing import Any

from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.diffusers.families import FAMILIES
from rushes.engines.engine import Plan
from support.weights_cards import weights_card


@dataclass(frozen=True)
class Case:
    """One kind of video from one folder."""

    folder: str
    family: str
    picture: str = "none"
    size: str = "96x64"

    def __str__(self) -> str:
        return f"{self.folder} with {self.picture}"

    @property
    def card(self) -> ModelCard:
        return weights_card(self.family, picture=self.picture, model=str(self))

    @property
    def step(self) -> int:
        return FAMILIES[self.family].frame_step

    def plan(self, engine: DiffusersEngine, picture: str, card: ModelCard | None = None, **more: Any) -> Plan:
        """The shortest clip there is, in three steps."""
        fps = FAMILIES[self.family].fps
        params: dict[str, Any] = {"prompt": "a lantern", "duration": self.step / fps, "size": self.size, "steps": 3}
        if self.picture != "none":
            params["image"] = picture
        if self.picture == "both":
            params["last_image"] = picture
        return engine.normalise(card or self.card, params | more, 5)


CASES = [
    Case("wan-t2v", "wan"),
    Case("wan-i2v", "wan", "required"),
    Case("wan-flf2v", "wan", "both"),
    Case("wan-22-t2v", "wan"),
    Case("wan-22-i2v", "wan", "required"),
    Case("wan-5b", "wan-5b"),
    Case("wan-5b", "wan-5b", "required"),
    Case("wan-vace", "wan-vace"),
    Case("wan-vace", "wan-vace", "required"),
    Case("wan-vace", "wan-vace", "both"),
    Case("skyreels-t2v", "skyreels-v2"),
    Case("skyreels-i2v", "skyreels-v2", "required"),
    Case("skyreels-df", "skyreels-v2-df"),
    Case("skyreels-df", "skyreels-v2-df", "required"),
    Case("skyreels-df", "skyreels-v2-df", "both"),
    Case("ltx", "ltx"),
    Case("ltx", "ltx", "required"),
    Case("ltx-condition", "ltx-condition"),
    Case("ltx-condition", "ltx-condition", "required"),
    Case("ltx-2", "ltx-2"),
    Case("ltx-2", "ltx-2", "required"),
    Case("hunyuan", "hunyuan"),
    Case("hunyuan-15", "hunyuan-1.5", size="64x64"),
    Case("hunyuan-15-i2v", "hunyuan-1.5", "required", size="96x64"),
    Case("cogvideox", "cogvideox"),
    Case("cogvideox-i2v", "cogvideox", "required"),
]
