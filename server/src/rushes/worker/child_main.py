"""The engine's process: `python -m rushes.worker.child_main CHANNEL_FD ENGINE`.

It holds one engine, warm, and runs one plan at a time. It never touches the queue, the database or the object store.
A cancel sets a flag that the engine meets at its next progress call. If the qworker dies, so does this process.
"""

import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import numpy as np

from rushes.catalog.loader import Catalog, load_catalog
from rushes.config import Settings
from rushes.domain.model_card import ModelCard
from rushes.engines.engine import Busy, Cancelled, Encoded, Engine, EngineError, EngineLost, Frames, Plan
from rushes.engines.options import Setup
from rushes.engines.parent import die_with_parent
from rushes.engines.registry import Engines
from rushes.worker.child import SETUP_VARIABLE
from rushes.worker.load_ahead import MODEL_VARIABLE, load_ahead
from rushes.worker.wire import Channel, ChannelClosed, Ring, ring_slots

PROGRESS_SECONDS = 0.1


class ChildControl:
    """What the engine reports with in one run."""

    def __init__(self, channel: Channel, run: int, scratch: Path, remembered: str | None) -> None:
        self.run = run
        self.free: Queue[int] = Queue()
        """Slots of this run's ring that the qworker has read."""
        self.scratch = scratch
        self.remembered = remembered
        self.cancelled = threading.Event()
        self.for_good = False
        self.kept = threading.Event()
        self._channel = channel
        self._sent_at = float("-inf")

    def progress(self, phase: str, done: float, total: float) -> None:
        self.check()
        now = time.monotonic()
        if now - self._sent_at >= PROGRESS_SECONDS or done >= total:
            self._sent_at = now
            self._channel.send("progress", phase=phase, done=done, total=total)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled(for_good=self.for_good)

    def remember(self, ref: str) -> None:
        self.kept.clear()
        self._channel.send("remember", ref=ref)
        while not self.kept.wait(0.2):
            self.check()


class Child:
    """One engine and its line to the qworker."""

    def __init__(self, channel: Channel, engine: Engine, catalog: Catalog) -> None:
        self._channel = channel
        self._catalog = catalog
        self._engine = engine
        self._orders: Queue[tuple[dict[str, Any], ChildControl]] = Queue()
        self._control: ChildControl | None = None

    def serve(self) -> None:
        """Run plans until the qworker closes the line."""
        threading.Thread(target=self._listen, name="line", daemon=True).start()
        self._channel.send("ready")
        if model := os.environ.get(MODEL_VARIABLE):
            begun = time.monotonic()
            load_ahead(self._engine, self._catalog, model)
            if model in self._engine.health().loaded:
                self._say_loaded(model, begun)
        while True:
            self._run(*self._orders.get())

    def _listen(self) -> None:
        """Take messages at any time, also while the engine works."""
        try:
            while True:
                message = self._channel.receive()
                match message:
                    case {"kind": "run", "run": run, "scratch": scratch, "remembered": remembered}:
                        # Made here, not where it is used: a cancel may follow before the order has been looked at.
                        self._control = ChildControl(self._channel, run, Path(scratch), remembered)
                        self._orders.put((message, self._control))
                    # The frames of a run are still being read when the next one has begun.
                    case {"kind": "free", "run": run, "slot": slot} if self._control and self._control.run == run:
                        self._control.free.put(slot)
                    case {"kind": "cancel", "for_good": for_good} if self._control is not None:
                        self._control.for_good = for_good
                        self._control.cancelled.set()
                    case {"kind": "remembered"} if self._control is not None:
                        self._control.kept.set()
                    case _:
                        pass
        except ChannelClosed:
            os._exit(0)  # the qworker is gone: nobody wants this result, whatever the engine is doing

    def _run(self, order: dict[str, Any], control: ChildControl) -> None:
        try:
            self._generate(order, control)
        except Cancelled:
            self._channel.send("error", code="cancelled", text="cancelled", field=None, final=True)
        except Busy as error:
            self._channel.send(
                "error",
                code=error.code,
                text=str(error),
                field=None,
                final=False,
                retry_after=error.retry_after,
                hold=error.hold,
            )
        except EngineError as error:
            self._channel.send(
                "error",
                code=error.code,
                text=str(error),
                field=error.field,
                final=error.final,
                spent=error.spent,
            )
        except MemoryError as error:
            text = str(error) or "out of memory"
            self._channel.send("error", code="out_of_memory", text=text, field=None, final=False)
        except ChannelClosed:
            raise
        except Exception as error:  # any engine may raise anything: it costs this attempt, with the cause in the log
            traceback.print_exc()
            text = f"{type(error).__name__}: {error}"
            self._channel.send("error", code="engine_lost", text=text, field=None, final=False)

    def _generate(self, order: dict[str, Any], control: ChildControl) -> None:
        card, plan = self._catalog.find(order["plan"]["model"]), Plan.from_json(order["plan"])
        control.progress("loading", 0, 1)
        self._load(card, control)
        result = self._engine.generate(plan, control)
        if isinstance(result, Encoded):
            self._channel.send("done", path=str(result.path), report=_report(result), audio=None, rate=0)
        else:
            self._stream(result, control, whole=not self._engine.caps(card).weightless)

    def _load(self, card: ModelCard, control: ChildControl) -> None:
        """Load the weights, if there are any, and say what is held in memory now: claims go by it."""
        begun = time.monotonic()
        self._engine.load(card, control)
        if not self._engine.caps(card).weightless:
            self._say_loaded(card.id, begun)

    def _say_loaded(self, model: str, begun: float) -> None:
        models = self._engine.health().loaded or (model,)
        self._channel.send("loaded", model=model, models=list(models), seconds=time.monotonic() - begun)

    def _stream(self, frames: Frames, control: ChildControl, *, whole: bool) -> None:
        shape = (frames.height, frames.width, 3) if frames.pixel_format == "rgb24" else None
        shape = shape or (frames.height * 3 // 2, frames.width)
        ring = self._opened(frames, int(np.prod(shape)), control, whole=whole)
        for array in frames:
            slot = _next_free(control)
            if array.shape != shape or array.dtype != np.uint8:
                # Assigning would stretch or cut it without a word.
                raise EngineLost(f"The engine gave a frame of {array.shape} {array.dtype}, it announced {shape} uint8")
            np.frombuffer(ring.slot(slot), np.uint8).reshape(shape)[:] = array
            self._channel.send("frame", slot=slot)
        audio = None
        if frames.audio is not None:
            audio = control.scratch / "sound.npy"
            np.save(audio, frames.audio.samples.astype(np.float32), allow_pickle=False)
        rate = frames.audio.rate if frames.audio is not None else 0
        self._channel.send("done", path=None, report=_report(frames), audio=audio and str(audio), rate=rate)

    def _opened(self, frames: Frames, slot_bytes: int, control: ChildControl, *, whole: bool) -> Ring:
        """A ring for these frames; the qworker maps it, and may read it when this process is long at something else."""
        slots = ring_slots(slot_bytes, frames.count, whole=whole)
        ring, descriptor = Ring.make(slot_bytes, slots)
        for slot in range(slots):
            control.free.put(slot)
        try:
            self._channel.send(
                "open",
                descriptor=descriptor,
                width=frames.width,
                height=frames.height,
                fps=frames.fps,
                count=frames.count,
                pixel_format=frames.pixel_format,
                slot_bytes=slot_bytes,
                slots=slots,
            )
        finally:
            os.close(descriptor)
        return ring


def _next_free(control: ChildControl) -> int:
    while True:
        control.check()
        try:
            return control.free.get(timeout=0.2)
        except Empty:
            continue


def _report(result: Frames | Encoded) -> dict[str, Any]:
    report = result.report
    return {
        "seed": report.seed,
        "fingerprint": report.fingerprint,
        "seconds": dict(report.seconds),
        "peak_bytes": report.peak_bytes,
        "rendered_by": report.rendered_by,
    }


def main() -> None:
    channel_fd, engine = int(sys.argv[1]), sys.argv[2]
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the qworker decides
    settings = Settings()
    catalog = load_catalog(settings.catalog_dir, test_models=settings.test_models)
    written = os.environ.get(SETUP_VARIABLE)
    setup = Setup.from_json(written) if written else Setup(engine)
    Child(Channel(socket.socket(fileno=channel_fd)), Engines().configured(engine, setup), catalog).serve()


if __name__ == "__main__":
    main()
