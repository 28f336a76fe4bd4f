"""`openai_videos` as the rest of the platform sees it."""

from __future__ import annotations

import asyncio
import hashlib
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
from rushes.engines.openai_videos.abandon import abandon
from rushes.engines.openai_videos.options import OpenAIVideosOptions
from rushes.engines.openai_videos.plan import normalise
from rushes.engines.openai_videos.run import FIRST_POLL, Run
from rushes.engines.options import Setup
from rushes.engines.remembered import Trace
from rushes.engines.server import Reply, Server, objects
from rushes.engines.waiting import Pace


class OpenAIVideosEngine:
    """Fulfils the Engine protocol by calls to one server."""

    name = "openai_videos"
    Options = OpenAIVideosOptions
    first_poll = FIRST_POLL
    """Seconds; each further one comes later, up to five."""

    def __init__(self, setup: Setup) -> None:
        self._options = OpenAIVideosOptions.model_validate(setup.options)
        self._server = Server(setup, self._options)
        self._pace = Pace()
        self._fingerprint: str | None = None

    def caps(self, card: ModelCard) -> Caps:
        slow = self._options.dialect == "sglang"
        return Caps(
            kinds=("i2v",) if self._options.images else ("t2v",),
            weightless=True,
            size_multiple=self._options.size_multiple,
            fps=self._options.fps,
            max_seconds=self._options.max_seconds,
            sound=not slow,
            cancel="drain" if slow else "real",
            progress="real" if slow else "estimated",
        )

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        """As the protocol says; the rules are in plan.py."""
        return normalise(self._options, card, params, seed, pictures)

    def load(self, card: ModelCard, control: Control) -> Loaded:
        """Ask the server whether it is well and what it has loaded, once.

        Raises EngineLost where it does not answer, Unsupported where it answers as no server that can be driven.
        """
        started = time.monotonic()
        if self._fingerprint is None:
            self._fingerprint = asyncio.run(self._probe())
        return Loaded(bytes=0, seconds=time.monotonic() - started, fingerprint=self._fingerprint)

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        """What the server has loaded is not ours to unload."""

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> Encoded:
        """Have the server make the video, and fetch it. Raises Cancelled, and the typed engine errors."""
        run = Run(self._server, self._options, self._pace, plan, control, self._fingerprint or "", self.first_poll)
        try:
            return asyncio.run(run.whole())
        except (EngineLost, Unsupported):
            self._fingerprint = None  # it may come back as another
            raise

    async def abandon(self, ref: str, alive: Alive) -> Abandoned:
        """As the protocol says; the rules are in abandon.py."""
        return await abandon(self._server, self._options.dialect, Trace.read(ref, self._options.base_url), alive)

    async def _probe(self) -> str:
        """What the server is, as a fingerprint."""
        health = await self._server.call("GET", "/health")
        if health.status != 200:
            raise EngineLost(f"The server says it is not well: {health.status}")
        models = await self._server.call("GET", "/v1/models")
        if models.status in (401, 403):
            raise Unsupported(f"The server does not accept the key: {models.status}")
        listed = await self._server.call("GET", "/v1/videos?limit=1")
        if listed.status == 409:
            raise Unsupported("The server runs several API processes, of which each knows its own videos only; run one")
        if listed.status != 200:
            raise Unsupported(f"The server has no list of videos: {listed.status}")
        return _fingerprint(self._options, models)


def _fingerprint(options: OpenAIVideosOptions, models: Reply) -> str:
    served = sorted(str(model.get("id")) for model in objects(models.data, "data"))
    digest = hashlib.sha256("\n".join((options.dialect, options.base_url, *served)).encode()).hexdigest()[:16]
    return f"{options.dialect} {', '.join(served)[:100] or 'unnamed'} {digest}"
