"""What a worker refuses to load: folders that could run code, that are not what the card says, that lack parts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engines.cases import Case
from engines.recording import RecordingControl
from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.engine import EngineLost, Unsupported
from rushes.engines.options import Setup
from support.weights_cards import weights_card

Tiny = Callable[[str], Path]


@pytest.fixture
def copied(tiny: Tiny, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a tiny folder, to spoil."""
    return lambda name: Path(shutil.copytree(tiny(name), tmp_path / name))


def refusal(folder: Path, card: ModelCard, control: RecordingControl) -> str:
    """What loading says; the engine goes on and holds nothing."""
    engine = DiffusersEngine(Setup("diffusers", {"weights": str(folder)}))
    with pytest.raises(Unsupported) as refused:
        engine.load(card, control)
    assert engine.health().loaded == ()
    return str(refused.value)


def edited(folder: Path, file: str, **changes: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_pickled_weights_are_refused_before_anything_is_read(
    copied: Callable[[str], Path], control: RecordingControl
) -> None:
    folder = copied("wan-t2v")
    (folder / "transformer" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04")
    assert "pickled weights run code" in refusal(folder, weights_card(), control)


def test_the_library_itself_would_refuse_a_folder_of_pickles_too(
    copied: Callable[[str], Path], control: RecordingControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second lock: were our look at the files to fail, use_safetensors holds."""
    import torch
    from rushes.engines.diffusers import folder as folder_module
    from safetensors.torch import load_file

    folder = copied("wan-t2v")
    weights = next((folder / "transformer").glob("*.safetensors"))
    torch.save(load_file(weights), folder / "transformer" / "diffusion_pytorch_model.bin")
    weights.unlink()
    monkeypatch.setattr(folder_module, "_REFUSED", {})
    assert "cannot be loaded" in refusal(folder, weights_card(), control)


def test_a_python_file_is_refused(copied: Callable[[str], Path], control: RecordingControl) -> None:
    folder = copied("wan-t2v")
    (folder / "pipeline.py").write_text("raise SystemExit")
    assert "Python files would be run" in refusal(folder, weights_card(), control)


def test_a_missing_index_and_a_missing_folder_are_refused(
    copied: Callable[[str], Path], control: RecordingControl
) -> None:
    folder = copied("wan-t2v")
    (folder / "model_index.json").unlink()
    assert "There is no folder" in refusal(folder / "gone", weights_card(), control)
    # A folder without an index is taken for a folder of folders, one for each card.
    assert f"There is no folder {folder}/some-weights" in refusal(folder, weights_card(), control)


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (["os", "system"], "only diffusers and transformers"),
        (["subprocess", "Popen"], "only diffusers and transformers"),
        (["transformers", "_Hidden"], "no public class"),
        (["diffusers", "NoSuchTransformer"], "cannot be loaded"),
    ],
)
def test_an_index_never_decides_what_is_imported(
    copied: Callable[[str], Path], control: RecordingControl, component: list[str], said: str
) -> None:
    folder = copied("wan-t2v")
    edited(folder, "model_index.json", transformer=component)
    assert said in refusal(folder, weights_card(), control)


def test_an_unknown_pipeline_class_is_refused(copied: Callable[[str], Path], control: RecordingControl) -> None:
    folder = copied("wan-t2v")
    edited(folder, "model_index.json", _class_name="WanDreamPipeline")
    assert "has no pipeline WanDreamPipeline" in refusal(folder, weights_card(), control)


def test_damaged_weights_are_refused(copied: Callable[[str], Path], control: RecordingControl) -> None:
    folder = copied("wan-t2v")
    weights = next((folder / "transformer").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "cannot be loaded" in refusal(folder, weights_card(), control)


DISAGREEMENTS: list[tuple[str, ModelCard, str]] = [
    ("wan-t2v", weights_card("wan", picture="required"), "needs a WanImageToVideoPipeline for i2v"),
    ("wan-i2v", weights_card("wan"), "needs a WanPipeline for t2v"),
    ("wan-t2v", weights_card("ltx"), "needs a LTXPipeline for t2v"),
    ("wan-t2v", weights_card("wan", multiple=8), "multiples of 8, the weights need 16"),
    ("wan-t2v", weights_card("wan", frame_step=3), "steps of 3, the weights need 4"),
    ("wan-5b", weights_card("wan"), "multiples of 16, the weights need 32"),
    ("wan-t2v", weights_card("wan", sound=True), "has no component that makes it"),
    (
        "wan-t2v",
        weights_card("wan", picture="required", pipelines={"t2v": "WanPipeline"}),
        "no parameters for anything",
    ),
]


@pytest.mark.parametrize(("folder", "card", "said"), DISAGREEMENTS)
def test_a_card_that_says_otherwise_than_its_folder_is_refused(
    tiny: Tiny, control: RecordingControl, folder: str, card: ModelCard, said: str
) -> None:
    assert said in refusal(tiny(folder), card, control)


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"attention": "flash"}, "attention: flash cannot be had here"),
    ({"attention": "no_such_backend"}, "attention: no_such_backend cannot be had here"),
    ({"attention": "_native_cudnn"}, "attention: _native_cudnn cannot be had here"),
    ({"quantise": "bitsandbytes_4bit"}, "bitsandbytes"),
    ({"quantise": "int4"}, "quantise: Input should be"),
    ({"gguf": {"transformer": "a/../../x.gguf"}}, "must lie inside the folder"),
    ({"gguf": {"transformer": "x.gguf"}, "quantise": "int8"}, "quantised already"),
    ({"offload": "model"}, "there is no GPU here"),
    ({"offload": "group"}, "there is no GPU here"),
    ({"context_parallel": {"gpus": 3}}, "2 attention heads cannot be dealt out evenly to 3 GPUs"),
    ({"context_parallel": {"gpus": 2, "kind": "ring"}, "attention": "_native_flash"}, "ring needs a GPU"),
    ({"cache": {"kind": "first_block", "arguments": {"limit": 1}}}, "limit: Extra inputs are not permitted"),
    ({"cache": {"kind": "mag"}}, "mag_ratios: Field required"),
    ({"cache": {"kind": "taylorseer", "arguments": {"cache_identifiers": ["("]}}}, "is no regular expression"),
    ({"loras": [{"file": "style.safetensors"}]}, "loras: style.safetensors is not in"),
]


@pytest.mark.parametrize(("options", "said"), IMPOSSIBLE)
def test_an_option_that_cannot_be_had_is_said_when_loading(
    tiny: Tiny, control: RecordingControl, options: dict[str, Any], said: str
) -> None:
    import torch

    if torch.cuda.is_available() and {"offload", "attention", "quantise", "context_parallel"} & set(options):
        pytest.skip("this machine has a GPU")
    assert said in refusal(tiny("wan-t2v"), weights_card(**options), control)


def test_a_model_that_cannot_be_compiled_says_so(tiny: Tiny, control: RecordingControl) -> None:
    assert "cannot be compiled" in refusal(tiny("cogvideox"), weights_card("cogvideox", compile=True), control)


def test_a_keyword_that_the_pipeline_does_not_have_is_unsupported(
    engines: Callable[[str], DiffusersEngine], control: RecordingControl
) -> None:
    case = Case("wan-t2v", "wan")
    engine = engines(case.folder)
    engine.load(case.card, control)
    plan = case.plan(engine, "", weights_card(model=str(case), arguments={"motion_speed": 2}))
    with pytest.raises(Unsupported, match="takes no motion_speed"):
        engine.generate(plan, control)


def test_a_model_that_was_never_loaded_is_lost(
    engines: Callable[[str], DiffusersEngine], control: RecordingControl
) -> None:
    engine = engines("wan-t2v")
    plan = engine.normalise(weights_card(model="another"), {"prompt": "p"}, 1)
    with pytest.raises(EngineLost, match="another is not loaded"):
        engine.generate(plan, control)


def test_an_engine_without_a_folder_says_how_to_give_it_one(control: RecordingControl) -> None:
    with pytest.raises(Unsupported, match="start the worker with --weights"):
        DiffusersEngine(Setup("diffusers")).load(weights_card(), control)
