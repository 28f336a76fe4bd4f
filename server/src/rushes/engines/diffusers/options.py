"""What an operator tells this engine: the keys of `[engines.diffusers]` in engines.toml. Free of torch."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.families import class_for
from rushes.engines.diffusers.folder import INDEX, check_folder
from rushes.engines.diffusers.plan import kinds_of
from rushes.engines.diffusers.tuning import read_tuning
from rushes.engines.engine import Unsupported
from rushes.engines.options import EngineOptions


class DiffusersOptions(EngineOptions):
    """Where the weights are, and how much of a GPU they may take."""

    packages: ClassVar[tuple[str, ...]] = ("torch", "diffusers", "transformers", "accelerate", "safetensors")

    weights: Path | None = Field(
        default=None,
        description="The folder of one model's weights, or of several, each in a folder called like its card's id. "
        "Only the workers need it.",
    )
    memory_gb: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="GiB of device memory that loaded models may hold together; nearly all if left out."
    )

    @property
    def ready(self) -> bool:
        return self.weights is not None

    def missing(self) -> str | None:
        if self.weights is None:
            return "weights is not set: the folder of a model's weights"
        if not self.weights.is_dir():
            return f"there is no folder {self.weights}; weights are a local folder, nothing is fetched"
        return None

    def lacks(self, card: ModelCard) -> str | None:
        """Looks at folder and card without loading anything."""
        folder = self.folder_of(card.id)
        if folder is None:
            return self.missing()
        try:
            family = read_tuning(card).figures()
            found = check_folder(folder)
            for kind in kinds_of(card, family):
                class_for(family, found.class_name, kind)
        except Unsupported as refusal:
            return str(refusal)
        return None

    def folder_of(self, model: str) -> Path | None:
        """Where the weights of a card are, or None where that is not said."""
        if self.weights is None:
            return None
        return self.weights if (self.weights / INDEX).is_file() else self.weights / model.replace("/", "_")
