"""The engine for open weights: any video pipeline folder that diffusers can load, through one generic loader.

torch is imported by `load`, in the engine's child. `caps` and `normalise` also run in the API process and read the card
and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.folder import check_folder
from rushes.engines.diffusers.options import DiffusersOptions
from rushes.engines.diffusers.plan import kinds_of, normalise
from rushes.engines.diffusers.shelf import Shelf
from rushes.engines.diffusers.tuning import read_tuning
from rushes.engines.engine import (
    Caps,
    Control,
    EngineLost,
    Health,
    Loaded,
    OutOfMemory,
    Picture,
    Plan,
    Unsupported,
)
from rushes.engines.options import Setup

if TYPE_CHECKING:
    from rushes.engines.diffusers.model import Model
    from rushes.engines.diffusers.render import Render

GIB = 1 << 30


class DiffusersEngine:
    """Fulfils the Engine protocol."""

    name = "diffusers"
    Options = DiffusersOptions

    def __init__(self, setup: Setup) -> None:
        self._options = DiffusersOptions.model_validate(setup.options)
        self._shelf: Shelf[Model] | None = None

    def caps(self, card: ModelCard) -> Caps:
        """Raises Unsupported for a card whose engine options are wrong."""
        tuning = read_tuning(card)
        family = tuning.figures()
        return Caps(
            kinds=kinds_of(card, family),
            size_multiple=family.multiple,
            fps=family.fps,
            max_seconds=family.most_frames / family.fps,
            sound=family.sound,
            gpus=tuning.context_parallel.gpus if tuning.context_parallel else 1,
        )

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        """As the protocol says; the rules are in plan.py."""
        return normalise(card, params, seed, pictures)

    def load(self, card: ModelCard, control: Control) -> Loaded:
        """Bring a card's weights onto the device, and move others off it where room is needed.

        Raises Unsupported where folder, card and installation do not go together, OutOfMemory, Cancelled.
        """
        from rushes.engines.diffusers.loading import load_model, onto_device
        from rushes.engines.diffusers.memory import copies, device

        shelf = self._shelf_made()
        model = shelf.get(card.id)
        if model is not None and model.team and model.team.lost:
            shelf.clear(card.id, keep=False)
            model = None
        if model is None:
            folder = self._options.folder_of(card.id)
            if folder is None:
                raise Unsupported(f"No folder of weights is set up for {card.id}; start the worker with --weights")
            control.check()
            checked = check_folder(folder)
            tuning = read_tuning(card)
            if tuning.context_parallel:
                self._end_teams(shelf)
            shelf.make_room(checked.bytes * copies(tuning, device()))
            model = load_model(card, checked, control)
            shelf.put(card.id, model)
        elif not model.on_device:
            started = time.monotonic()
            shelf.make_room(model.bytes)
            onto_device(model)
            model.seconds = time.monotonic() - started
        return Loaded(bytes=model.bytes, seconds=model.seconds, fingerprint=model.fingerprint)

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        """Take a model off the device. One that is not loaded is no fault."""
        if self._shelf is not None:
            self._shelf.clear(model, keep=keep_in_ram)

    def health(self) -> Health:
        if self._shelf is None:
            return Health("ready")
        return Health("ready", self._shelf.names, max(0, self._shelf.budget - self._shelf.held))

    def generate(self, plan: Plan, control: Control) -> Render:
        """Denoise now, decode while the frames are taken.

        After OutOfMemory every other model is let go, so that the next try has the whole device.
        """
        from rushes.engines.diffusers.pipelines import rendered

        model = self._shelf.get(plan.model) if self._shelf else None
        if model is None or self._shelf is None:
            raise EngineLost(f"{plan.model} is not loaded")
        try:
            return rendered(model, plan, control)
        except OutOfMemory:
            for other in self._shelf.names:
                if other != plan.model:
                    self._shelf.clear(other, keep=False)
            raise
        finally:
            if model.team and model.team.closed:
                self._shelf.clear(plan.model, keep=False)

    def _end_teams(self, shelf: Shelf[Model]) -> None:
        """A process can be in one team at a time."""
        for name in shelf.names:
            model = shelf.get(name)
            if model is not None and model.team:
                shelf.clear(name, keep=False)

    def _shelf_made(self) -> Shelf[Model]:
        """The shelf needs to know the device, which needs torch: so it is made with the first model."""
        if self._shelf is None:
            from rushes.engines.diffusers.loading import park
            from rushes.engines.diffusers.memory import device, total_bytes

            budget = total_bytes(device())
            if self._options.memory_gb is not None:
                budget = min(budget, int(self._options.memory_gb * GIB))
            self._shelf = Shelf(budget, park)
        return self._shelf
