"""An engine of known length, as a distilled model on a device: it works so long, then all frames are there at once.

It notes when it began and when it was done with every request, in the file that RUSHES_BENCH_LOG names.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rushes.domain.model_card import ModelCard
from rushes.engines.engine import Audio, Caps, Control, Health, Loaded, Picture, PixelFormat, Plan, Report

STEPS = 16
FPS = 24

CARD = """
family: bench
org_id: bench
created: 2026-01-01
engine: known-length
models:
  - id: bench-clip
    task: text-to-video
    display_name: A clip
    brief: A clip of known length
    description: Rolls a picture round.
    parameters:
      - {name: prompt, type: string}
    price: {usd: 0.01}
    example: {prompt: anything}
"""


def install(folder: Path) -> dict[str, str]:
    """Make the engine and its model known to processes with these variables."""
    distribution = folder / "known_length-1.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: known-length\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(
        "[rushes.engines]\nknown-length = bench.known_length:KnownLengthEngine\n"
    )
    cards = folder / "cards"
    cards.mkdir()
    (cards / "bench.yaml").write_text(CARD)
    places = [str(folder), str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(places),
        "RUSHES_CATALOG_DIR": str(cards),
        "RUSHES_BENCH_LOG": str(folder / "log"),
    }


def clip(size: tuple[int, int], frames: int, works: float) -> Plan:
    """A plan for it: so many frames after so many seconds of work."""
    return Plan(
        model="bench-clip",
        kind="t2v",
        prompt="",
        negative_prompt="",
        width=size[0],
        height=size[1],
        tier="",
        aspect="16:9",
        fps=FPS,
        num_frames=frames,
        keep_frames=frames,
        seconds=frames / FPS,
        seed=7,
        extra={"works": works},
    )


class KnownLengthEngine:
    """It holds a device, or says so: its clips lie whole in memory until they are encoded."""

    name = "known-length"

    def caps(self, card: ModelCard) -> Caps:
        return Caps(kinds=("t2v",), weightless=False)

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        return Plan.from_json(params["plan"])

    def load(self, card: ModelCard, control: Control) -> Loaded:
        return Loaded(0, 0.0, "known length")

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None: ...

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> "KnownLengthFrames":
        _note("began")
        for step in range(STEPS):
            threading.Event().wait(plan.extra["works"] / STEPS)
            control.progress("denoise", step + 1, STEPS)
        return KnownLengthFrames(plan)


class KnownLengthFrames:
    """Frames that move a little, so that encoding them costs what it usually costs."""

    pixel_format: PixelFormat = "rgb24"
    audio: Audio | None = None

    def __init__(self, plan: Plan) -> None:
        self.width, self.height = plan.width or 0, plan.height or 0
        self.fps, self.count = plan.fps, plan.num_frames
        self.report = Report(seed=plan.seed, fingerprint="known length")

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        across = np.arange(self.width, dtype=np.uint16)[None, :, None] // 8
        down = np.arange(self.height, dtype=np.uint16)[:, None, None] // 8
        picture = np.broadcast_to(across + down, (self.height, self.width, 3)).astype(np.uint8)
        for number in range(self.count):
            yield np.roll(picture, number, axis=1)
        _note("done")


def _note(word: str) -> None:
    with Path(os.environ["RUSHES_BENCH_LOG"]).open("a") as log:
        log.write(f"{word} {time.monotonic()}\n")
