"""Whether the engine lets go of everything. In a file of its own, so that no other pipeline is on the GPU meanwhile."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from engines.recording import RecordingControl
from gpu.scale import Scale, bare_pipeline, engine_with
from rushes.engines.engine import Cancelled

Note = Callable[[str, str], None]


def test_memory_comes_back_after_runs_cancels_and_the_unload(scale: Scale, note: Note, tmp_path: Path) -> None:
    import torch

    def held() -> int:
        gc.collect()
        return int(torch.cuda.memory_allocated()) if torch.cuda.is_available() else 0

    nothing = held()
    engine = engine_with(bare_pipeline(scale), scale)
    loaded = held()
    plan = scale.plan(engine, steps=2)
    for number in range(3):
        stop = RecordingControl(tmp_path, lambda report: report[:2] == ("denoise", 1))
        with pytest.raises(Cancelled):
            engine.generate(plan, stop)
        frames = engine.generate(plan, RecordingControl(tmp_path))
        for _ in frames:
            pass
        peak = frames.report.peak_bytes
        del frames
        assert held() <= loaded + (64 << 20), f"run {number} left memory behind"
    engine.unload(scale.card.id)
    assert held() <= nothing + (64 << 20)
    note("weights; peak; after unload, GB", f"{(loaded - nothing) / 1e9:.1f}; {peak / 1e9:.1f}; {held() / 1e9:.2f}")
