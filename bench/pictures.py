"""What the pictures beside a video cost, and verifying it, against encoding alone."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rushes.media.encode import EncodedFacts, encode
from rushes.media.glimpses import Glimpses
from rushes.media.probe import verify

from bench.known_length import clip
from bench.table import show

PICTURE = Path(__file__).parents[1] / "examples" / "pictures" / "coffee.png"
FRAMES = 120
ROUNDS = 3


@dataclass(slots=True)
class _Pan:
    """A photograph that moves by a few pixels a frame."""

    width: int
    height: int
    fps: int = 24
    pixel_format: str = "rgb24"
    audio: None = None
    pictures: list[NDArray[np.uint8]] = field(default_factory=list[NDArray[np.uint8]])

    def __post_init__(self) -> None:
        with Image.open(PICTURE) as picture:
            wide = np.asarray(picture.convert("RGB").resize((self.width + FRAMES * 2, self.height)))
        self.pictures = [np.ascontiguousarray(wide[:, n * 2 : n * 2 + self.width]) for n in range(FRAMES)]

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return iter(self.pictures)


def run() -> None:
    """Five seconds at three sizes; CPU of all threads, the best of a few rounds."""
    rows: list[list[str]] = []
    for size in ((832, 480), (1280, 720), (1920, 1080)):
        pan, plan = _Pan(*size), clip(size, FRAMES, 0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "video.mp4"

            def encoded() -> EncodedFacts:
                return encode(pan, path, keep_frames=FRAMES, comment="bench")  # noqa: B023

            with patch.object(Glimpses, "see", lambda *_: None):
                base = _cpu(encoded)
            seen = _cpu(encoded)
            glimpses = encoded().glimpses
            written = _cpu(lambda: glimpses.write(path.parent))  # noqa: B023
            verified = _cpu(lambda: verify(path, replace(plan, width=size[0]), *size))  # noqa: B023
            kilobytes = [f.stat().st_size / 1e3 for f in (path, *sorted(path.parent.glob("*_frame.jpg")))]
            preview = (path.parent / "preview.webp").stat().st_size / 1e3
        more = max(0.0, seen - base) + written + verified
        rows.append(
            [
                f"{size[0]}x{size[1]}",
                *(f"{seconds * 1e3:.0f} ms" for seconds in (base, max(0.0, seen - base), written, verified)),
                f"{more / base:.1%}",
                f"{kilobytes[0]:.0f} kB",
                f"{sum(kilobytes[1:]):.0f} kB",
                f"{preview:.0f} kB",
            ]
        )
    head = ["5 s of video", "encode", "keep", "write", "verify", "of encoding", "video", "two frames", "preview"]
    show("CPU of what stands beside a video", head, rows)


def _cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best
