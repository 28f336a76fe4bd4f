"""A model in memory: its pipeline, the sibling classes made of the same components, and what it was loaded with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rushes.engines.diffusers.caching import StepCache
from rushes.engines.diffusers.digest import fingerprint
from rushes.engines.diffusers.families import Family
from rushes.engines.diffusers.tuning import Tuning

if TYPE_CHECKING:
    from rushes.engines.diffusers.splitting import Split
    from rushes.engines.diffusers.team import Team


@dataclass(slots=True)
class Model:
    """One loaded card."""

    name: str
    tuning: Tuning
    family: Family
    pipe: Any
    """The pipeline as the folder names it."""
    bytes: int
    """Of its weights, in the types they were loaded in."""
    parts: Mapping[str, str]
    """What decides the bytes of a frame beside the plan: what the fingerprint is made of."""
    fingerprint: str
    seconds: float
    step_cache: StepCache | None = None
    scheduler: Any = field(init=False)
    """As the folder has it."""
    siblings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Pipelines of other classes around the same components, by class name."""
    on_device: bool = True
    split: "Split | None" = None
    """How its denoisers are divided among ranks, on every rank."""
    team: "Team | None" = None
    """The other ranks, on rank 0."""

    def __post_init__(self) -> None:
        self.scheduler = self.pipe.scheduler

    def let_go(self) -> None:
        """Forget everything that takes memory, and end the other ranks."""
        self.siblings.clear()
        self.pipe = self.scheduler = self.step_cache = self.split = None
        if self.team:
            self.team.close()

    def tighten(self) -> None:
        """After a full memory: decode in tiles from now on, where the VAE can, and say so in the fingerprint."""
        vae: Any = getattr(self.pipe, "vae", None)
        if hasattr(vae, "enable_tiling") and self.parts.get("tiling") != "True":
            vae.enable_tiling()
            self.parts = {**self.parts, "tiling": "True"}
            self.fingerprint = fingerprint(self.parts)
