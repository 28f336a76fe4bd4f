"""An engine as users may write one: installed by an entry point, and wrong in every way its plan names."""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from rushes.domain.model_card import ModelCard
from rushes.engines.engine import (
    Audio,
    Busy,
    Cancelled,
    Caps,
    Control,
    Encoded,
    EngineLost,
    Health,
    InvalidInput,
    Loaded,
    Picture,
    Plan,
    Report,
    Unsupported,
)


def install(folder: Path) -> dict[str, str]:
    """Make the engine `awkward` known to processes with this environment."""
    distribution = folder / "awkward_engine-1.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: awkward-engine\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(
        "[rushes.engines]\nawkward = support.awkward_engine:AwkwardEngine\n"
        "heavy = support.awkward_engine:HeavyEngine\n"
        "broken = support.awkward_engine:NoSuchEngine\n"
    )
    places = [str(folder), str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "RUSHES_TEST_MODELS": "1"}


class AwkwardEngine:
    """`plan.extra["way"]` says what it does; without one it gives the frames it announced."""

    name = "awkward"

    def caps(self, card: ModelCard) -> Caps:
        return Caps(kinds=("t2v",), weightless=True)

    def normalise(
        self, card: ModelCard, params: Mapping[str, Any], seed: int, pictures: Mapping[str, Picture] | None = None
    ) -> Plan:
        raise NotImplementedError

    def load(self, card: ModelCard, control: Control) -> Loaded:
        return Loaded(0, 0.0, "awkward 1")

    def unload(self, model: str, *, keep_in_ram: bool = False) -> None:
        pass

    def health(self) -> Health:
        return Health("ready")

    def generate(self, plan: Plan, control: Control) -> "Encoded | AwkwardFrames":
        _elsewhere(plan.extra.get("way"), control)
        match plan.extra.get("way"):
            case "exit":
                os._exit(3)
            case "raise":
                raise ZeroDivisionError("a bug")
            case "spent":
                error = EngineLost("a rank is gone")
                error.spent = True
                raise error
            case "memory":
                raise MemoryError
            case "invalid":
                raise InvalidInput("too odd", field="prompt")
            case "flood":
                for _ in range(50_000):
                    control.progress("denoise", 1, 1)
            case "deaf":
                control.progress("denoise", 1, 1)
                threading.Event().wait()
            case "remember":
                control.remember("upstream-7")
                Path(plan.extra.get("after") or control.scratch / "after").touch()
            case "file":
                path = control.scratch / "made.mp4"
                path.write_bytes(b"a film")
                return Encoded(path, Report(seed=plan.seed, fingerprint="awkward 1"))
            case "movie":
                return Encoded(_movie(plan, control.scratch / "video.mp4"), Report(seed=5, fingerprint="awkward 1"))
            case _:
                pass
        return AwkwardFrames(plan, control)


def _movie(plan: Plan, path: Path) -> Path:
    """A film as a server elsewhere may send it: its index last, its colours untagged, `given` frames long."""
    width, height = plan.extra.get("shape", (plan.width, plan.height))
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=plan.fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for n in range(plan.extra.get("given", plan.keep_frames)):
            picture = np.full((height, width, 3), 20 + n, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def _elsewhere(way: str | None, control: Control) -> None:
    """The ways of an engine that calls another server."""
    if way == "busy":
        raise Busy("the server is full", retry_after=7, hold=True)
    if way == "why":
        try:
            while True:
                control.progress("denoise", 1, 1)
        except Cancelled as stop:
            raise EngineLost(f"cancelled for good: {stop.for_good}") from stop


class HeavyEngine(AwkwardEngine):
    """The same with weights, of one model at a time; it has none for the model heavy-missing."""

    name = "heavy"

    def __init__(self) -> None:
        self._loaded: list[str] = []

    def caps(self, card: ModelCard) -> Caps:
        return Caps(kinds=("t2v",))

    def load(self, card: ModelCard, control: Control) -> Loaded:
        if card.id == "heavy-missing":
            raise Unsupported("The folder of heavy-missing is empty")
        self._loaded = [card.id]
        return Loaded(1, 0.0, "heavy 1")

    def health(self) -> Health:
        return Health("ready", self._loaded)


@dataclass
class AwkwardFrames:
    """Frame n of a clip with brightness b has all its pixels at b + n."""

    plan: Plan
    control: Control
    audio: Audio | None = None
    pixel_format: str = "rgb24"
    report: Report = field(default_factory=lambda: Report(seed=5, fingerprint="awkward 1", seconds={"denoise": 1.5}))

    def __post_init__(self) -> None:
        self.width, self.height = self.plan.width or 0, self.plan.height or 0
        self.fps, self.count = self.plan.fps, self.plan.num_frames
        self.pixel_format = self.plan.extra.get("pixel_format", "rgb24")

    def __iter__(self) -> Iterator[np.ndarray[Any, Any]]:
        way = self.plan.extra.get("way")
        shape = (self.height, self.width, 3)
        if self.pixel_format == "yuv420p":
            shape = (self.height * 3 // 2, self.width)
        given = self.count - 2 if way == "too few" else self.count
        for n in range(given):
            self.control.check()
            frame = np.full(shape, self.plan.extra.get("brightness", 0) + n, np.uint8)
            match way:
                case "one pixel":
                    frame = frame[:1, :1]
                case "float":
                    frame = frame / np.float32(255)
                case "killed" if n == 2:
                    os.kill(os.getpid(), 9)
                case _:
                    pass
            yield frame
        if way == "sound":
            self.audio = Audio(np.full((480, 2), 0.25, np.float32), 48_000)
