"""The engine behind the model rushes-test: it renders grey frames and behaves as badly as its payload says."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rushes.engines.engine import (
    Audio,
    Caps,
    EngineError,
    Health,
    InvalidInput,
    Loaded,
    Picture,
    Plan,
    Report,
)
from rushes.engines.reading import Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rushes.domain.model_card import ModelCard
    from rushes.engines.engine import Control

FPS = 24


class FaultsEngine:
    """Never pretends to be a model; every way of failing is real: a crash is a SIGKILL, a hang never returns."""

    name = "faults"

    def caps(self, card: ModelCard) -> Caps:
        return Caps(kinds=("t2v",), weightless=True, fails_on_order=True, fps=FPS)

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        frames = int(params.get("frames") or max(1, round(float(params.get("seconds") or 1) * FPS)))
        reading = Reading(card, params)
        chosen = reading.seed(seed)
        reading.settle()
        names = ("seconds", "fail_at", "fail_code", "crash", "hang", "progress_steps")
        return Plan(
            model=card.id,
            kind="t2v",
            prompt=str(params.get("prompt") or ""),
            negative_prompt="",
            width=int(params.get("width") or 320),
            height=int(params.get("height") or 180),
            tier="",
            aspect="16:9",
            fps=FPS,
            num_frames=frames,
            keep_frames=frames,
            seconds=frames / FPS,
            seed=chosen,
            extra={name: params.get(name) for name in names},
        )

    def load(self, card: ModelCard, control: Control) -> Loaded:
        return Loaded(0, 0.0, "faults 1")

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        """Nothing is loaded."""

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> _GreyFrames:
        return _GreyFrames(plan, control)


class _GreyFrames:
    """Frames whose brightness rises; `seconds` of the payload is also how long rendering takes."""

    pixel_format = "rgb24"

    def __init__(self, plan: Plan, control: Control) -> None:
        if plan.width is None or plan.height is None:
            raise InvalidInput("The plan has no size")
        self.width, self.height, self.fps, self.count = plan.width, plan.height, plan.fps, plan.keep_frames
        self.audio: Audio | None = None
        self.report = Report(seed=plan.seed, fingerprint="faults 1")
        self._plan = plan
        self._control = control

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        import numpy as np

        extra = self._plan.extra
        steps = int(extra["progress_steps"] or self.count)
        pace = float(extra["seconds"] or 0) / self.count
        started = time.monotonic()
        for i in range(self.count):
            self._misbehave(i / self.count)
            if i % max(1, self.count // steps) == 0:
                self._control.progress("generating", i, self.count)
            self._control.check()
            # Not a busy wait: the pace of a real engine, which also works in bursts.
            threading.Event().wait(max(0.0, started + i * pace - time.monotonic()))
            yield np.full((self.height, self.width, 3), 16 + 200 * i // self.count, np.uint8)
        self._misbehave(1.0)
        self._control.progress("generating", self.count, self.count)

    def _misbehave(self, share: float) -> None:
        """Fail at `fail_at`; crash and hang half way unless `fail_at` says when."""
        extra = self._plan.extra
        at = extra["fail_at"]
        if extra["crash"] and share >= (0.5 if at is None else at):
            os.kill(os.getpid(), signal.SIGKILL)
        if extra["hang"] and share >= (0.5 if at is None else at):
            while True:  # deaf to cancels: only the qworker's deadline or grace ends it
                threading.Event().wait(3600)
        if at is not None and share >= at:
            code = str(extra["fail_code"] or "internal")
            raise EngineError(f"Failed at {share:.0%}, as the payload ordered", code=code, final=True)
