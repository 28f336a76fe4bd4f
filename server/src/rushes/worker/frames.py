"""An engine's frames on the qworker's side, handed over by the engine's thread and read by the writer's.

They lie in the run's ring. The engine is done with them as soon as the last one lies there; whoever reads them may take
as long as it likes, while the same engine is at the next request.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rushes.engines.engine import Cancelled, Report
from rushes.media.sound import Sound
from rushes.worker.wire import Ring

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class _Track:
    """A sound track that came as a file."""

    samples: "NDArray[np.float32]"
    rate: int


class ChildFrames:
    """The engine's Frames: each is valid until the next one is asked for. `audio` and `report` come with the end."""

    def __init__(self, opened: Mapping[str, Any], ring: Ring, free: Callable[[int], None]) -> None:
        self.width: int = opened["width"]
        self.height: int = opened["height"]
        self.fps: int = opened["fps"]
        self.count: int = opened["count"]
        self.pixel_format: Literal["rgb24", "yuv420p"] = opened["pixel_format"]
        self.audio: Sound | None = None
        self.report: Report | None = None
        self._ring: Ring | None = ring
        self._free = free
        self._handed: SimpleQueue[int | None] = SimpleQueue()
        self._whole = False
        self._left = threading.Event()

    def __iter__(self) -> Iterator["NDArray[np.uint8]"]:
        """Every frame, once. Raises Cancelled if the engine did not come to its end; its own run says why."""
        shape = (self.height, self.width, 3)
        if self.pixel_format == "yuv420p":
            shape = (self.height * 3 // 2, self.width)
        try:
            while (slot := self._handed.get()) is not None and (ring := self._ring) is not None:
                yield np.frombuffer(ring.slot(slot), np.uint8).reshape(shape)
                if not self._whole:
                    self._free(slot)
            if not self._whole:
                raise Cancelled
        finally:
            self.leave()

    def leave(self) -> None:
        """Read no further: the engine is told to stop, if it is still at work, and the ring is let go."""
        self._left.set()
        self._ring = None

    @property
    def left(self) -> bool:
        """Whether nobody reads any more."""
        return self._left.is_set()

    def hand(self, slot: int) -> None:
        """One more frame lies in the ring."""
        self._handed.put(slot)

    def end(self, done: Mapping[str, Any]) -> None:
        """The last frame has been handed over."""
        self.report = Report(**done["report"])
        if done["audio"]:
            self.audio = _Track(np.load(Path(done["audio"]), allow_pickle=False), done["rate"])
        self._whole = True
        self._handed.put(None)

    def fail(self) -> None:
        """There will be no more frames, though there should be."""
        self._handed.put(None)
