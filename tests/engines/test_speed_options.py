"""Options that trade something: each changes the fingerprint, does what it says, and repeats."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engines.cases import Case
from engines.recording import RecordingControl, digest
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Tiny = Callable[[str], Path]
CASE = Case("wan-t2v", "wan")


def rendered(folder: Path, control: RecordingControl, times: int = 1, **options: Any) -> tuple[str, list[str]]:
    """Fingerprint and digests of a model with these options."""
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(folder)}))
    card = weights_card("wan", **options)
    fingerprint = engine.load(card, control).fingerprint
    plan = CASE.plan(engine, "", card, steps=6)
    return fingerprint, [digest(engine.generate(plan, control)) for _ in range(times)]


def test_weights_stored_in_fp8_take_less_memory(tiny: Tiny, control: RecordingControl) -> None:
    def loaded(**options: Any) -> tuple[int, str]:
        engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-t2v"))}))
        card = weights_card("wan", **options)
        facts = engine.load(card, control)
        return facts.bytes, digest(engine.generate(CASE.plan(engine, "", card), control))

    plain, small = loaded(), loaded(quantise="fp8_storage")
    assert small[0] < plain[0]
    assert small[1] != plain[1]


def test_a_lora_is_part_of_the_weights_and_of_the_fingerprint(
    tiny: Tiny, control: RecordingControl, tmp_path: Path
) -> None:
    import shutil

    import torch
    from safetensors.torch import save_file

    plain, (without,) = rendered(tiny("wan-t2v"), control)
    folder = Path(shutil.copytree(tiny("wan-t2v"), tmp_path / "wan"))
    torch.manual_seed(1)
    lora: dict[str, Any] = {}
    for block in range(2):
        for part in ("to_q", "to_k"):
            name = f"transformer.blocks.{block}.attn1.{part}"
            lora[f"{name}.lora_A.weight"] = torch.randn(4, 24)
            lora[f"{name}.lora_B.weight"] = torch.randn(24, 4)
    (folder / "loras").mkdir()
    save_file(lora, folder / "loras" / "style.safetensors")
    _, (beside,) = rendered(folder, control)
    assert beside == without, "a file beside the model is not used by itself"
    strong, (styled,) = rendered(folder, control, loras=[{"file": "loras/style.safetensors"}])
    weak, (half,) = rendered(folder, control, loras=[{"file": "loras/style.safetensors", "weight": 0.5}])
    assert len({without, styled, half}) == 3
    assert len({plain, strong, weak}) == 3


@pytest.mark.parametrize(
    "options",
    [{"attention": "native"}, {"dtypes": {"vae": "float32"}}, {"tiling": True}, {"dtype": "float32"}],
    ids=str,
)
def test_an_option_that_says_what_is_done_anyway_gives_the_same_frames(
    tiny: Tiny, control: RecordingControl, options: dict[str, Any]
) -> None:
    _, (without,) = rendered(tiny("wan-t2v"), control)
    _, (with_it,) = rendered(tiny("wan-t2v"), control, **options)
    assert with_it == without


def test_half_precision_renders_and_is_told_in_the_fingerprint(tiny: Tiny, control: RecordingControl) -> None:
    plain, (without,) = rendered(tiny("wan-t2v"), control)
    half, (first, second) = rendered(tiny("wan-t2v"), control, 2, dtype="bfloat16", dtypes={"vae": "float32"})
    assert first == second != without
    assert half != plain


def test_a_warm_up_renders_once_before_the_first_request(tiny: Tiny, control: RecordingControl) -> None:
    small = {"sizes": {"480P": ["96x64"]}, "frames": 5, "most_frames": 5}
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-5b"))}))
    card = weights_card("wan-5b", picture="optional", warm_up=True, tier="480P", **small)
    engine.load(card, control)
    assert control.of("denoise") == [(0, 2), (1, 2), (2, 2)] * 2
    assert not list(control.scratch.glob("tmp*"))


def test_a_shift_of_the_noise_goes_by_tier_and_is_gone_with_the_next_request(
    tiny: Tiny, control: RecordingControl
) -> None:
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-t2v"))}))
    card = weights_card("wan", flow_shift={"360P": 9.0})
    engine.load(card, control)
    usual = CASE.plan(engine, "", card)
    assert usual.extra["flow_shift"] == 9.0, "the tiny size is nearest to 360P"
    shifted = digest(engine.generate(usual, control))
    plain = digest(engine.generate(replace(usual, extra={**usual.extra, "flow_shift": None}), control))
    assert plain != shifted
    assert digest(engine.generate(usual, control)) == shifted


@pytest.mark.parametrize("way", ["model", "group"])
def test_offloaded_weights_render_the_same_also_after_a_cancel(
    tiny: Tiny, control: RecordingControl, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of a GPU, taken on the CPU, which by itself refuses it: from one kind of memory into the same."""
    import numpy as np
    from rushes.engines.diffusers import speed

    def pictures(engine: DiffusersEngine, plan: Any) -> Any:
        return np.stack([frame.copy() for frame in engine.generate(plan, control)]).astype(int)

    plain = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-t2v"))}))
    plain.load(weights_card("wan"), control)
    plan = CASE.plan(plain, "", weights_card("wan"), steps=6)
    without = pictures(plain, plan)
    monkeypatch.setattr(speed, "_place", speed.offloaded)
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-t2v"))}))
    engine.load(weights_card("wan", offload=way), control)
    assert engine._shelf is not None
    model = engine._shelf.get(plan.model)
    assert model is not None
    hooks = [
        module
        for module in model.pipe.transformer.modules()
        if hasattr(module, "_hf_hook" if way == "model" else "_diffusers_hook")
    ]
    assert hooks
    first = pictures(engine, plan)
    assert np.abs(first - without).max() <= 1, "its own fingerprint: copied weights may round otherwise"
    with pytest.raises(Cancelled):
        engine.generate(plan, RecordingControl(control.scratch, lambda report: report[:2] == ("denoise", 3)))
    assert np.array_equal(pictures(engine, plan), first)


def test_a_large_frame_is_decoded_in_tiles(
    tiny: Tiny, control: RecordingControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-t2v"))}))
    card = weights_card("wan", tiling=True)
    engine.load(card, control)
    assert engine._shelf is not None
    model = engine._shelf.get(card.id)
    assert model is not None
    seen: list[tuple[int, ...]] = []
    model.pipe.vae.decoder.register_forward_hook(lambda _, given, __: seen.append(tuple(given[0].shape[-2:])))
    plan = CASE.plan(engine, "", card, size="320x288", steps=1)
    assert [frame.shape for frame in engine.generate(plan, control)] == [(288, 320, 3)] * plan.num_frames
    assert len(seen) > plan.num_frames
    assert all(height <= 32 and width <= 32 for height, width in seen), "latents of at most 256 pixels a side"


@pytest.mark.parametrize("backend", ["_native_math", "flex"])
def test_another_attention_backend_renders_and_is_told_in_the_fingerprint(
    tiny: Tiny, control: RecordingControl, backend: str
) -> None:
    plain, (without,) = rendered(tiny("wan-t2v"), control)
    other, (first, second) = rendered(tiny("wan-t2v"), control, 2, attention=backend)
    assert first == second
    assert other != plain
    assert rendered(tiny("wan-t2v"), control)[1] == [without], "the next model has its own again"


@pytest.mark.long
def test_compiled_blocks_render_what_the_others_do(tiny: Tiny, control: RecordingControl) -> None:
    """Needs a C++ compiler; within rounding, not bit for bit."""
    plain, _ = rendered(tiny("wan-t2v"), control)
    for more in ({}, {"quantise": "fp8_storage"}):
        compiled, (first, second) = rendered(tiny("wan-t2v"), control, 2, compile=True, **more)
        assert first == second
        assert compiled != plain


@pytest.mark.long
def test_compiled_blocks_take_every_size(tiny: Tiny, control: RecordingControl) -> None:
    """Above the compiler's limit of eight for one function: from the second size on it compiles for any."""
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(tiny("wan-t2v"))}))
    card = weights_card("wan", compile=True)
    engine.load(card, control)
    for number in range(10):
        plan = CASE.plan(engine, "", card, size=f"{64 + 16 * number}x64", steps=1)
        assert len(list(engine.generate(plan, control))) == plan.num_frames
