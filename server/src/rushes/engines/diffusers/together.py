"""Progress and cancel of a call that several ranks make at once: what rank 0 is told holds for all."""

from pathlib import Path

from rushes.engines.diffusers.splitting import agreed
from rushes.engines.engine import Cancelled, Control


class Together:
    """Fulfils the Control protocol on every rank; `control` is that of the attempt on rank 0, None on the others.

    All ranks report the same steps. At each report of denoising they hear of rank 0 whether to stop, and raise
    Cancelled together; anywhere else a cancel is kept until then, for one that leaves alone leaves the others waiting.
    """

    remembered: str | None = None

    def __init__(self, control: Control | None) -> None:
        self._control = control
        self._cancelled: Cancelled | None = None
        self.scratch = control.scratch if control else Path()

    def progress(self, phase: str, done: float, total: float) -> None:
        try:
            if self._control and not self._cancelled:
                self._control.progress(phase, done, total)
        except Cancelled as cancelled:
            self._cancelled = cancelled
        if phase == "denoise" and agreed(self._cancelled is not None):
            raise self._cancelled or Cancelled()

    def check(self) -> None:
        try:
            if self._control and not self._cancelled:
                self._control.check()
        except Cancelled as cancelled:
            self._cancelled = cancelled

    def remember(self, ref: str) -> None:
        """Nothing is begun elsewhere."""
