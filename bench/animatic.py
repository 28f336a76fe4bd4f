"""Five seconds of animatic: renderer, encoder and both together, against encoding alone."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rushes.catalog.loader import load_catalog
from rushes.domain.payload import check_payload
from rushes.engines.animatic.engine import AnimaticEngine
from rushes.engines.animatic.render import Render
from rushes.engines.engine import Audio, Picture, PixelFormat, Plan
from rushes.media.encode import encode

from bench.table import show

PICTURE = Path(__file__).parents[1] / "examples" / "pictures" / "coffee.png"
PROMPT = "Slow cinematic dolly in, warm morning light"


class _Control:
    """Nobody listens and nobody cancels."""

    scratch = Path()
    remembered = None

    def progress(self, phase: str, done: float, total: float) -> None: ...
    def check(self) -> None: ...
    def remember(self, ref: str) -> None: ...


@dataclass(slots=True)
class _Drawn:
    """Frames that exist already."""

    width: int
    height: int
    fps: int
    count: int
    pixel_format: PixelFormat
    audio: Audio | None
    frames: list[NDArray[np.uint8]]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.frames)


def run() -> None:
    """A picture under a camera, and a painted scene, at 720p and 1080p."""
    rows: list[list[str]] = []
    for what in ("picture", "scene"):
        for resolution in ("720P", "1080P"):
            rows += _measure(what, _plan(what, resolution))
    head = ["clip", "size", "what", "wall", "CPU", "of real time", "against encode-only"]
    show("Animatic, 5 s at 24 frames/s, engine and encoder in one process", head, rows)


def _plan(what: str, resolution: str) -> Plan:
    """The plan of wan2.7-i2v for a photograph; for a scene the same size without the picture."""
    card = load_catalog(None, test_models=False).find("wan2.7-i2v")
    payload = {"first_frame": str(PICTURE), "prompt": PROMPT, "resolution": resolution, "duration": 5, "seed": 7}
    checked = check_payload(card, {**payload, "first_frame": "https://example.com/coffee.png"})
    with Image.open(PICTURE) as picture:
        facts = Picture(*picture.size)
    plan = AnimaticEngine().normalise(card, checked.params, 7, {"image": facts})
    if what == "scene":
        return replace(plan, kind="t2v", inputs={}, prompt="A majestic eagle soaring through a clear blue sky")
    return replace(plan, inputs={"image": str(PICTURE)})


def _measure(what: str, plan: Plan) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        frames: list[NDArray[np.uint8]] = []
        rendered = _timed(lambda: frames.extend(frame.copy() for frame in Render(plan, _Control())))
        render = Render(plan, _Control())
        drawn = _Drawn(render.width, render.height, plan.fps, len(frames), "yuv420p", render.audio, frames)
        encoded = _timed(lambda: encode(drawn, path, keep_frames=plan.keep_frames, comment="bench"))
        frames.clear()
        together = _timed(lambda: encode(Render(plan, _Control()), path, keep_frames=plan.keep_frames, comment="bench"))
    size = f"{plan.width}x{plan.height}"
    return [
        [what, size, name, f"{wall:.1f} s", f"{cpu:.1f} s", f"{wall / plan.seconds:.2f}x", f"{wall / encoded[0]:.2f}x"]
        for name, (wall, cpu) in (("encode only", encoded), ("render only", rendered), ("both", together))
    ]


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, all threads counted."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu
