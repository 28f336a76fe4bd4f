"""What the engine diffusers adds to the bare pipeline: tiny Wan and LTX with random weights, on one thread of the CPU.

A step of these takes a few milliseconds, a thousandth of a real one, so what is added weighs a thousand times more.
"""

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.table import show

STEPS, FRAMES, SIZE, TURNS = 30, 17, (160, 96), 7
TESTS = Path(__file__).parents[1] / "tests"


def run() -> None:
    """Both in turns; the baseline is the library called by hand, its frames rounded to bytes on the host."""
    if importlib.util.find_spec("torch") is None:
        print("weights: left out, torch is not installed here; run .venv-engines/bin/python -m bench weights")
        return
    import torch

    sys.path.insert(0, str(TESTS))
    torch.set_num_threads(1)
    rows = [_measure("wan-t2v", "wan", "latent by latent"), _measure("ltx", "ltx", "at once")]
    head = ["pipeline", "decoded", "bare CPU", "engine CPU", "CPU ratio", "wall ratio", "added a step"]
    show(f"diffusers engine against the bare pipeline, {STEPS} steps of {SIZE[0]}x{SIZE[1]}x{FRAMES}, tiny", head, rows)


def _measure(folder: str, family: str, decoded: str) -> list[str]:
    from engines.recording import RecordingControl
    from engines.tiny import build
    from rushes.engines.diffusers.engine import DiffusersEngine
    from rushes.engines.options import Setup
    from support.weights_cards import weights_card

    with tempfile.TemporaryDirectory() as scratch:
        weights = build(folder, Path(scratch))
        engine, card = DiffusersEngine(Setup("diffusers", {"weights": str(weights)})), weights_card(family)
        control = RecordingControl(Path(scratch))
        engine.load(card, control)
        size = f"{SIZE[0]}x{SIZE[1]}"
        seconds = (FRAMES - 1) / engine.caps(card).fps
        plan = engine.normalise(card, {"prompt": "a lantern", "size": size, "steps": STEPS, "duration": seconds}, 5)
        bare = _bare(weights, plan)

        def ours(prompt: str) -> None:
            for _ in engine.generate(replace(plan, prompt=prompt), RecordingControl(Path(scratch))):
                pass

        # A prompt of its own for every turn: the engine remembers those it has read, and that is not the question here.
        prompts = [f"a lantern in wind number {turn}" for turn in range(TURNS + 1)]
        bare(prompts[0])
        ours(prompts[0])
        pairs = [(_timed(bare, prompt), _timed(ours, prompt)) for prompt in prompts[1:]]
    wall = median(b[0] for a, b in pairs) / median(a[0] for a, b in pairs)
    base, with_engine = median(a[1] for a, _ in pairs), median(b[1] for _, b in pairs)
    added = (with_engine - base) / STEPS * 1e6
    figures = [f"{base:.3f} s", f"{with_engine:.3f} s", f"{with_engine / base:.3f}", f"{wall:.3f}", f"{added:+.0f} us"]
    return [folder, decoded, *figures]


def _bare(weights: Path, plan: Any) -> Callable[[str], None]:
    import numpy as np
    import torch
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(str(weights), use_safetensors=True, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    def call(prompt: str) -> None:
        frames = pipe(
            prompt=prompt,
            width=SIZE[0],
            height=SIZE[1],
            num_frames=FRAMES,
            num_inference_steps=STEPS,
            guidance_scale=plan.extra["guidance"],
            generator=torch.Generator("cpu").manual_seed(5),
            output_type="np",
        ).frames[0]
        (frames * 255).round().astype(np.uint8)

    return call


def _timed(work: Callable[[str], None], prompt: str) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(prompt)
    return time.perf_counter() - wall, time.process_time() - cpu
