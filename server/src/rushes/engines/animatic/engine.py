"""The engine without weights: it draws a storyboard of the request, in seconds, on a CPU.

Numpy and OpenCV are imported when the first video is made: the API process imports this module too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rushes.domain.model_card import ModelCard
from rushes.engines.animatic.plan import CAPS, normalise
from rushes.engines.engine import Caps, Control, Health, Loaded, Picture, Plan

if TYPE_CHECKING:
    from rushes.engines.animatic.render import Render


class AnimaticEngine:
    """Fulfils the Engine protocol. It never pretends to be the model whose card it serves."""

    name = "animatic"

    def caps(self, card: ModelCard) -> Caps:
        return CAPS

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        """As the protocol says; the rules are in plan.py."""
        return normalise(card, params, seed, pictures)

    def load(self, card: ModelCard, control: Control) -> Loaded:
        """Import what drawing needs; there are no weights."""
        started = time.monotonic()
        import_module("rushes.engines.animatic.render")
        from rushes.engines.animatic.fingerprint import fingerprint

        return Loaded(bytes=0, seconds=time.monotonic() - started, fingerprint=fingerprint())

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        """Nothing is held per model."""

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> Render:
        """Frames that are drawn while they are taken.

        Raises Cancelled, InvalidInput for sound that is not ours, Unsupported for a plan without a size.
        """
        from rushes.engines.animatic.render import Render

        return Render(plan, control)
