"""One of the other ranks of a team: `python -m rushes.engines.diffusers.rank LINE_FD`.

It makes the calls that rank 0 makes and throws the result away, for rank 0 has the same. What it cannot go on after it
says and then ends, so that nobody waits for it; and it ends with rank 0.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

from rushes.engines.diffusers.denoising import denoised
from rushes.engines.diffusers.embeddings import EmbeddingCache
from rushes.engines.diffusers.folder import check_folder
from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.line import Line, LineClosed
from rushes.engines.diffusers.loader import load_pipeline, parameter_bytes
from rushes.engines.diffusers.memory import forget_peak, peak_bytes, typed
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.pipelines import pipeline_for
from rushes.engines.diffusers.ranks import ALIKE
from rushes.engines.diffusers.splitting import Split, meet
from rushes.engines.diffusers.together import Together
from rushes.engines.diffusers.tuning import Tuning
from rushes.engines.engine import Cancelled, EngineError, Plan
from rushes.engines.parent import die_with_parent


class Rank:
    """One model, and what rank 0 wants done with it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._orders: Queue[dict[str, Any]] = Queue()
        self._rank = 0
        self._where: Any = None
        self._model: Model | None = None

    def serve(self) -> None:
        """Follow orders until rank 0 is gone."""
        threading.Thread(target=self._listen, name="line", daemon=True).start()
        self._line.send("here")
        steps: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "load": self._load,
            "join": self._join,
            "run": self._run,
        }
        while True:
            order = self._orders.get()
            self._answer(steps[order["kind"]], order)

    def _listen(self) -> None:
        """In a thread of its own: rank 0 may go while this one is in the middle of a step."""
        try:
            while True:
                self._orders.put(self._line.receive())
        except LineClosed:
            os._exit(0)

    def _answer(self, step: Callable[[dict[str, Any]], dict[str, Any]], order: dict[str, Any]) -> None:
        try:
            answer = step(order)
        except Cancelled:
            answer = {"kind": "cancelled"}
        except ALIKE as error:
            answer = _failed(error)
        except Exception as error:  # of whatever kind: this rank is at another place than the others now
            traceback.print_exc()
            sys.stderr.flush()
            self._line.send(**_failed(error))
            os._exit(1)
        self._line.send(**answer)

    def _load(self, order: dict[str, Any]) -> dict[str, Any]:
        tuning = Tuning.model_validate(order["tuning"])
        self._rank, self._where = order["rank"], torch.device(order["device"])
        torch.set_num_threads(order["threads"])
        with typed(order["model"], self._where):
            pipe, _ = load_pipeline(check_folder(Path(order["folder"])), tuning, self._where)
        EmbeddingCache().wrap(pipe)
        self._model = Model(
            name=order["model"],
            tuning=tuning,
            family=tuning.figures(),
            pipe=pipe,
            step_cache=None,
            bytes=parameter_bytes(pipe),
            parts={},
            fingerprint="",
            seconds=0.0,
        )
        return {"kind": "loaded"}

    def _join(self, order: dict[str, Any]) -> dict[str, Any]:
        model = self._loaded()
        parallel = model.tuning.context_parallel
        assert parallel is not None, "a card without it has no ranks"
        meet(self._rank, parallel.gpus, order["port"], self._where)
        model.split = Split(model.pipe, parallel, self._rank, self._where)
        return {"kind": "joined"}

    def _run(self, order: dict[str, Any]) -> dict[str, Any]:
        model, plan = self._loaded(), Plan.from_json(order["plan"])
        forget_peak(self._where)
        with typed(f"{plan.width}x{plan.height} with {plan.num_frames} frames", self._where):
            denoised(model, pipeline_for(model, plan.kind), plan, Together(None), "latent")
        return {"kind": "done", "peak_bytes": peak_bytes(self._where)}

    def _loaded(self) -> Model:
        assert self._model is not None, "the first order is to load"
        return self._model


def _failed(error: Exception) -> dict[str, Any]:
    if isinstance(error, EngineError):
        return {"kind": "failed", "code": error.code, "text": str(error), "field": error.field, "final": error.final}
    return {"kind": "failed", "code": "engine_lost", "text": f"{type(error).__name__}: {error}"}


def main() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; rank 0 decides
    Rank(Line(int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
