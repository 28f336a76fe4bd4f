"""`gmi` as the rest of the platform sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from rushes.domain.model_card import ModelCard
from rushes.engines.engine import (
    Abandoned,
    Alive,
    Caps,
    Control,
    Encoded,
    EngineLost,
    Health,
    Loaded,
    Picture,
    Plan,
    Unsupported,
)
from rushes.engines.gmi.abandon import abandon
from rushes.engines.gmi.options import GmiOptions
from rushes.engines.gmi.plan import normalise
from rushes.engines.gmi.run import FIRST_POLL, Run
from rushes.engines.gmi.upstream import Upstream
from rushes.engines.options import Setup
from rushes.engines.remembered import Trace
from rushes.engines.server import Server
from rushes.engines.waiting import Pace


class GmiEngine:
    """Fulfils the Engine protocol by calls to one account."""

    name = "gmi"
    Options = GmiOptions
    first_poll = FIRST_POLL
    """Seconds; each further one comes a little later, up to ten."""

    def __init__(self, setup: Setup) -> None:
        self._options = GmiOptions.model_validate(setup.options)
        self._instance = setup.instance
        self._upstream = Upstream(Server(setup, self._options))
        self._pace = Pace()
        self._known: set[str] = set()

    def caps(self, card: ModelCard) -> Caps:
        return Caps(
            kinds=("t2v", "i2v", "flf2v", "v2v", "a2v"),
            weightless=True,
            sound=True,
            cancel="none",
            progress="estimated",
            repeatable=False,
            inputs="original",
        )

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        """As the protocol says; the rules are in plan.py."""
        return normalise(self._options, card, params, seed)

    def load(self, card: ModelCard, control: Control) -> Loaded:
        """Check key and model, once a model.

        Raises EngineLost where the upstream does not answer, Unsupported where it refuses or is this very server.
        """
        started = time.monotonic()
        if card.id not in self._known:
            asyncio.run(self._upstream.probe(normalise(self._options, card, {}, 0).extra["model"]))
            if self._instance and self._upstream.instance == self._instance:
                raise Unsupported("This server is named as its own upstream; give engines.toml another base_url")
            self._known.add(card.id)
        return Loaded(bytes=0, seconds=time.monotonic() - started, fingerprint="gmi")

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        """Nothing is loaded here."""

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> Encoded:
        """Have the upstream make the video, and fetch it. Raises Cancelled, and the typed engine errors."""
        run = Run(self._upstream, self._pace, plan, control, self._options.base_url, self.first_poll)
        try:
            return asyncio.run(run.whole())
        except (EngineLost, Unsupported):
            self._known.clear()  # it may come back as another
            raise

    async def abandon(self, ref: str, alive: Alive) -> Abandoned:
        """As the protocol says; the rules are in abandon.py."""
        return await abandon(self._upstream, Trace.read(ref, self._options.base_url), alive)
