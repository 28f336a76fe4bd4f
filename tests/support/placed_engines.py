"""Engines of every place that serve anything, for tests of the routing; none of them renders."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

from rushes.domain.model_card import ModelCard
from rushes.engines.animatic.plan import normalise
from rushes.engines.engine import Caps, Control, Encoded, Health, Loaded, Picture, Plan, Unsupported
from rushes.engines.options import EngineOptions, Place, RemoteOptions, Setup
from rushes.engines.registry import GROUP, Engines


class GpuOptions(EngineOptions):
    weights: Path | None = None

    @property
    def ready(self) -> bool:
        return self.weights is not None


class UpstreamOptions(RemoteOptions):
    place: ClassVar[Place] = "upstream"


class _Placed:
    name = ""
    weightless = True

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def caps(self, card: ModelCard) -> Caps:
        return Caps(kinds=("t2v",), weightless=self.weightless)

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        return normalise(card, params, seed, pictures)

    def load(self, card: ModelCard, control: Control) -> Loaded:
        return Loaded(0, 0.0, self.name)

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        pass

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> Encoded:
        raise Unsupported("this engine renders nothing")


class GpuEngine(_Placed):
    name = "gpu"
    weightless = False
    Options = GpuOptions


class ServerEngine(_Placed):
    name = "server"
    Options = RemoteOptions


class UpstreamEngine(_Placed):
    name = "upstream"
    Options = UpstreamOptions


def placed_engines() -> Engines:
    """The usual two, and one of each place."""
    own = [EntryPoint(n, f"support.placed_engines:{n.title()}Engine", GROUP) for n in ("gpu", "server", "upstream")]
    animatic = EntryPoint("animatic", "rushes.engines.animatic:AnimaticEngine", GROUP)
    return Engines([animatic, EntryPoint("faults", "rushes.engines.faults:FaultsEngine", GROUP), *own])
