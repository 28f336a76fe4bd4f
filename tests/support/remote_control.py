"""What an engine is given to report with, in a test: it keeps what it was told, and cancels when told."""

import threading
from collections.abc import Callable
from pathlib import Path

from rushes.engines.engine import Cancelled


class KeepingControl:
    """Remembers as a database would; `on_remember` is called at once."""

    def __init__(self, scratch: Path, remembered: str | None = None) -> None:
        self.scratch = scratch
        self.remembered = remembered
        self.told: list[tuple[str, float]] = []
        self.kept: list[str] = []
        self.on_remember: Callable[[str], None] = lambda _: None
        self._cancelled = threading.Event()
        self._for_good = False

    def cancel(self, *, for_good: bool) -> None:
        self._for_good = for_good
        self._cancelled.set()

    def progress(self, phase: str, done: float, total: float) -> None:
        self.check()
        self.told.append((phase, done / total))

    def check(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled(for_good=self._for_good)

    def remember(self, ref: str) -> None:
        self.kept.append(ref)
        self.on_remember(ref)

    def next_attempt(self) -> "KeepingControl":
        """The control of another attempt of the same request."""
        return KeepingControl(self.scratch, self.kept[-1] if self.kept else self.remembered)
