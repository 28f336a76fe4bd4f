"""One plan, rendered: the Frames that the encoder takes one by one."""

import contextlib
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, cast

from rushes.engines.diffusers.decode import decoded_stream, streams, to_bytes
from rushes.engines.diffusers.denoising import denoised
from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.memory import forget_peak, peak_bytes, typed
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.plan import rendered_size
from rushes.engines.engine import Audio, Control, EngineLost, OutOfMemory, PixelFormat, Plan, Report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


CHUNK = 8
"""Frames that are copied to the host at once, where all were decoded at once."""


class Render:
    """Fulfils the Frames protocol: rgb24 frames of the plan's size, cropped from the rendered ones, once.

    Making it runs the text encoder and every denoising step; where the VAE allows it, frames are decoded while they are
    iterated. They leave the device as uint8.
    """

    pixel_format: PixelFormat = "rgb24"

    def __init__(self, model: Model, pipe: Any, plan: Plan, control: Control, where: Any) -> None:
        """Raises Cancelled at the next step, OutOfMemory, Unsupported."""
        rendered = rendered_size(plan)
        self.width, self.height = plan.width or rendered[0], plan.height or rendered[1]
        self.fps, self.count = plan.fps, plan.num_frames
        self.audio: Audio | None = None
        self.report = Report(seed=plan.seed, fingerprint=model.fingerprint)
        self._left, self._top = (rendered[0] - self.width) // 2, (rendered[1] - self.height) // 2
        self._rendered, self._plan, self._control, self._where = rendered, plan, control, where
        self._vae = pipe.vae
        self._streamed = streams(model, plan.kind)
        self._seconds: dict[str, float] = {}
        forget_peak(where)
        started = time.monotonic()
        self._model = model
        with self._tightening(f"{plan.width}x{plan.height} with {plan.num_frames} frames"):
            self._result: Any = self._denoised(model, pipe, plan, control)
        self._seconds["denoise" if self._streamed else "render"] = time.monotonic() - started

    def __iter__(self) -> Iterator["NDArray[np.uint8]"]:
        started, given = time.monotonic(), 0
        with self._tightening("decoding"):
            for chunk in self._chunks():
                for frame in chunk:
                    given += 1
                    yield frame
        if given != self.count:
            raise EngineLost(f"The pipeline gave {given} frames where {self.count} were asked for")
        self._seconds["decode"] = time.monotonic() - started
        self.report.seconds = self._seconds
        self.report.peak_bytes = max(self.report.peak_bytes, peak_bytes(self._where))

    @contextlib.contextmanager
    def _tightening(self, what: str) -> Generator[None]:
        """A memory that is full is told as such, and leaves the model set up to need less of it next time."""
        try:
            with typed(what, self._where):
                yield
        except OutOfMemory:
            self._model.tighten()
            raise

    def _denoised(self, model: Model, pipe: Any, plan: Plan, control: Control) -> Any:
        """Latents (1, channels, n, h, w) where they are decoded here, else frames (n, 3, h, w) in 0..1."""
        control.progress("text", 0, 1)
        output = "latent" if self._streamed else "pt"
        if model.team:
            with model.team.call(plan, control) as together:
                result = denoised(model, pipe, plan, together, output)
            self.report.peak_bytes = model.team.peak_bytes
        else:
            result = denoised(model, pipe, plan, control, output)
        control.check()
        if plan.sound:
            self.audio = self._sound(pipe, result)
        if self._streamed:
            return result.frames
        control.progress("decode", 1, 1)
        return result.frames[0]

    def _chunks(self) -> Iterator["NDArray[np.uint8]"]:
        """uint8 arrays (n, height, width, 3) on the host."""
        result, self._result = self._result, None
        if self._streamed:
            for chunk in decoded_stream(self._vae, result, self._control):
                yield self._on_host(chunk, signed=True)
            return
        for start in range(0, len(result), CHUNK):
            self._control.check()
            yield self._on_host(result[start : start + CHUNK], signed=False)

    def _on_host(self, chunk: Any, *, signed: bool) -> "NDArray[np.uint8]":
        if tuple(chunk.shape[-2:]) != (self._rendered[1], self._rendered[0]):
            height, width = chunk.shape[-2:]
            raise EngineLost(f"The pipeline gave frames of {width}x{height}, not {self._rendered}")
        cropped = chunk[..., self._top : self._top + self.height, self._left : self._left + self.width]
        return cast("NDArray[np.uint8]", to_bytes(cropped, signed=signed).cpu().numpy())

    def _sound(self, pipe: Any, result: Any) -> Audio | None:
        """The sound of a pipeline that makes some, as long as the delivered frames."""
        samples = getattr(result, "audio", None)
        if samples is None:
            return None
        samples = samples[0].detach().to(torch.float32).cpu().numpy()
        if samples.ndim == 1:
            samples = samples[None]
        rate = int(pipe.vocoder.config.output_sampling_rate)
        kept = round(self._plan.keep_frames / self._plan.fps * rate)
        return Audio(samples[:, :kept].T.clip(-1, 1), rate)
