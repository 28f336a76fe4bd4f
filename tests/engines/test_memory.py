"""Several models, one budget: what is loaded, what makes room, and how a full memory is told."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from engines.cases import Case
from engines.recording import RecordingControl, digest
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import OutOfMemory
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Tiny = Callable[[str], Path]


@pytest.fixture
def two_models(tiny: Tiny, tmp_path: Path) -> Path:
    """A folder of folders, each called like its card."""
    for name, folder in (("first", "wan-t2v"), ("second", "ltx")):
        (tmp_path / "weights").mkdir(exist_ok=True)
        (tmp_path / "weights" / name).symlink_to(tiny(folder), target_is_directory=True)
    return tmp_path / "weights"


def test_a_model_that_does_not_fit_beside_another_takes_its_place(two_models: Path, control: RecordingControl) -> None:
    first, second = weights_card("wan", model="first"), weights_card("ltx", model="second")
    roomy = DiffusersEngine(Setup("diffusers", {"weights": str(two_models)}))
    roomy.load(first, control)
    roomy.load(second, control)
    roomy.load(first, control)
    assert roomy.health().loaded == ("second", "first")
    tight = DiffusersEngine(Setup("diffusers", {"weights": str(two_models), "memory_gb": 0.0008}))
    tight.load(first, control)
    tight.load(second, control)
    assert tight.health().loaded == ("second",)


def test_a_model_comes_back_with_the_same_frames_after_it_was_unloaded(tiny: Tiny, control: RecordingControl) -> None:
    case = Case("wan-t2v", "wan")
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny(case.folder))}))
    loaded = engine.load(case.card, control)
    plan = case.plan(engine, "")
    before = digest(engine.generate(plan, control))
    engine.unload(str(case))
    engine.unload("never loaded")
    assert engine.health().loaded == ()
    assert engine.load(case.card, control).fingerprint == loaded.fingerprint
    assert digest(engine.generate(plan, control)) == before


def test_an_unloaded_model_leaves_no_weights_behind(tiny: Tiny, control: RecordingControl) -> None:
    case = Case("wan-5b", "wan-5b", "required")
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny(case.folder))}))
    engine.load(case.card, control)
    assert engine._shelf is not None
    model = engine._shelf.get(str(case))
    assert model is not None
    from rushes.engines.diffusers.pipelines import pipeline_for

    weights = weakref.ref(pipeline_for(model, "i2v").transformer)
    del model
    engine.unload(str(case))
    gc.collect()
    assert weights() is None


def test_the_sibling_class_works_on_the_same_weights(tiny: Tiny, control: RecordingControl) -> None:
    from rushes.engines.diffusers.pipelines import pipeline_for

    case = Case("wan-5b", "wan-5b")
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny(case.folder))}))
    engine.load(case.card, control)
    assert engine._shelf is not None
    model = engine._shelf.get(str(case))
    assert model is not None
    sibling = pipeline_for(model, "i2v")
    assert type(sibling).__name__ == "WanImageToVideoPipeline"
    assert sibling.transformer is model.pipe.transformer
    assert sibling.config.expand_timesteps is True
    assert pipeline_for(model, "i2v") is sibling


def test_a_full_memory_is_told_as_such_and_clears_the_other_models(
    two_models: Path, control: RecordingControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real error of torch's allocator, raised where a too large clip raises it: inside the pipeline."""
    import torch
    from rushes.engines.diffusers import denoising

    engine = DiffusersEngine(Setup("diffusers", {"weights": str(two_models)}))
    first, second = weights_card("wan", model="first"), weights_card("ltx", model="second")
    engine.load(second, control)
    loaded = engine.load(first, control).fingerprint
    plan = Case("wan-t2v", "wan").plan(engine, "", first)
    with monkeypatch.context() as patched:
        patched.setattr(denoising, "arguments", lambda *_: torch.empty(2**55, dtype=torch.float32))
        with pytest.raises(OutOfMemory, match="96x64 with 5 frames does not fit into the memory of cpu"):
            engine.generate(plan, control)
    assert engine.health().loaded == ("first",)
    tighter = engine.load(first, control).fingerprint
    assert tighter != loaded, "the next try decodes in tiles, and says so"
    assert len(list(engine.generate(plan, control))) == plan.num_frames


def test_another_runtime_error_is_not_taken_for_a_full_memory() -> None:
    from rushes.engines.diffusers.memory import device, typed

    with pytest.raises(RuntimeError, match="shape"), typed("it", device()):
        raise RuntimeError("shape '[2]' is invalid for input of size 3")
