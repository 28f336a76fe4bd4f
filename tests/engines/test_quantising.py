"""Weights in fewer bits: what is stored, what comes out, and what is refused because it would change nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engines.cases import Case
from engines.recording import RecordingControl, digest
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import Cancelled, Unsupported
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Tiny = Callable[[str], Path]
CASE = Case("wan-t2v", "wan")


def loaded(folder: Path, control: RecordingControl, **options: Any) -> tuple[DiffusersEngine, Any, Any]:
    """The engine, the card and what loading said."""
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(folder)}))
    card = weights_card("wan", model=str(CASE), **options)
    return engine, card, engine.load(card, control)


def transformer_of(engine: DiffusersEngine) -> Any:
    assert engine._shelf is not None
    model = engine._shelf.get(str(CASE))
    assert model is not None
    return model.pipe.transformer


@pytest.mark.parametrize(("kind", "stored"), [("int8", "torch.int8"), ("fp8", "torch.float8_e4m3fn")])
def test_quantised_weights_are_stored_small_and_counted_as_stored(
    tiny: Tiny, control: RecordingControl, kind: str, stored: str
) -> None:
    pytest.importorskip("torchao")
    plain, card, before = loaded(tiny("wan-t2v"), control)
    engine, _, small = loaded(tiny("wan-t2v"), control, quantise=kind)
    weight = transformer_of(engine).blocks[0].attn1.to_q.weight
    assert str(weight.qdata.dtype) == stored
    assert small.bytes < before.bytes
    assert small.fingerprint != before.fingerprint
    plan = CASE.plan(engine, "", card)
    first = digest(engine.generate(plan, control))
    assert first != digest(plain.generate(plan, control))
    with pytest.raises(Cancelled):
        engine.generate(plan, RecordingControl(control.scratch, lambda report: report[:2] == ("denoise", 2)))
    assert digest(engine.generate(plan, control)) == first


def test_a_lora_is_fused_before_the_weights_are_stored_small(
    tiny: Tiny, control: RecordingControl, tmp_path: Path
) -> None:
    folder = with_lora(tiny, tmp_path, "transformer.blocks.0.attn1.to_q")
    loras = [{"file": "style.safetensors"}]
    seen: list[str] = []
    for options in ({}, {"loras": loras}, {"quantise": "int8"}, {"loras": loras, "quantise": "int8"}):
        engine, card, _ = loaded(folder, control, **options)
        seen.append(digest(engine.generate(CASE.plan(engine, "", card), control)))
    assert len(set(seen)) == 4


def test_a_lora_for_another_model_is_refused(tiny: Tiny, control: RecordingControl, tmp_path: Path) -> None:
    """The library passes over weights whose names it does not know, and says nothing."""
    folder = with_lora(tiny, tmp_path, "blocks.0.attn1.to_q")
    with pytest.raises(Unsupported, match=r"style.safetensors: none of its weights is named like a layer"):
        loaded(folder, control, loras=[{"file": "style.safetensors"}])


def with_lora(tiny: Tiny, tmp_path: Path, layer: str) -> Path:
    import torch
    from safetensors.torch import save_file

    folder = Path(shutil.copytree(tiny("wan-t2v"), tmp_path / "wan"))
    torch.manual_seed(1)
    weights = {f"{layer}.lora_A.weight": torch.randn(4, 24), f"{layer}.lora_B.weight": torch.randn(24, 4)}
    save_file(weights, folder / "style.safetensors")
    return folder


def test_an_option_that_finds_no_weight_to_store_small_is_refused() -> None:
    import torch
    from rushes.engines.diffusers.quantising import check_quantised

    with pytest.raises(Unsupported, match="quantise: int8 changes nothing in Linear"):
        check_quantised(torch.nn.Linear(3, 3), "quantise: int8")


def gguf_folder(tiny: Tiny, tmp_path: Path, kind: str) -> Path:
    """A folder whose transformer stands in a GGUF file alone, those matrices in few bits whose rows allow it."""
    import gguf
    from safetensors.torch import load_file

    folder = Path(shutil.copytree(tiny("wan-t2v"), tmp_path / f"wan-{kind}"))
    own = next((folder / "transformer").glob("*.safetensors"))
    writer: Any = gguf.GGUFWriter(str(folder / "wan.gguf"), "wan")
    bits = gguf.GGMLQuantizationType[kind]
    for name, tensor in load_file(own).items():
        values = tensor.numpy()
        if values.ndim == 2 and values.shape[-1] % 32 == 0:
            writer.add_tensor(name, gguf.quants.quantize(values, bits), raw_dtype=bits)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    own.unlink()
    return folder


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0"])
def test_a_denoiser_is_read_from_a_gguf_file(tiny: Tiny, control: RecordingControl, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("gguf")
    _, _, before = loaded(tiny("wan-t2v"), control)
    folder = gguf_folder(tiny, tmp_path, kind)
    engine, card, small = loaded(folder, control, gguf={"transformer": "wan.gguf"})
    assert any(type(weight).__name__ == "GGUFParameter" for weight in transformer_of(engine).parameters())
    assert small.bytes < before.bytes
    assert small.fingerprint != before.fingerprint
    plan = CASE.plan(engine, "", card)
    first = digest(engine.generate(plan, control))
    with pytest.raises(Cancelled):
        engine.generate(plan, RecordingControl(control.scratch, lambda report: report[:2] == ("denoise", 2)))
    assert digest(engine.generate(plan, control)) == first


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"transformer": "gone.gguf"}, "needs gone.gguf, which is not in"),
        ({"transformer_2": "wan.gguf"}, "has no component transformer_2"),
        ({"transformer": "broken.gguf"}, "cannot be loaded"),
    ],
)
def test_a_gguf_file_that_cannot_be_used_is_refused(
    tiny: Tiny, control: RecordingControl, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    pytest.importorskip("gguf")
    folder = gguf_folder(tiny, tmp_path, "Q8_0")
    (folder / "broken.gguf").write_bytes((folder / "wan.gguf").read_bytes()[:3000])
    with pytest.raises(Unsupported, match=said):
        loaded(folder, control, gguf=options)
