"""A folder of weights is looked at before anything is loaded from it."""

import json
from pathlib import Path
from typing import Any

import pytest
from rushes.engines.diffusers.folder import SAMPLE_BYTES, SAMPLES, check_folder
from rushes.engines.engine import Unsupported

INDEX: dict[str, Any] = {
    "_class_name": "WanPipeline",
    "_diffusers_version": "0.42.1",
    "boundary_ratio": None,
    "transformer": ["diffusers", "WanTransformer3DModel"],
    "transformer_2": [None, None],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model_index.json").write_text(json.dumps(INDEX))
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "weights.safetensors").write_bytes(bytes(1000))
    return tmp_path


def test_a_folder_tells_its_class_its_components_and_its_size(folder: Path) -> None:
    checked = check_folder(folder)
    assert checked.class_name == "WanPipeline"
    assert checked.components == {"transformer": ("diffusers", "WanTransformer3DModel")}
    assert checked.bytes == 1000


def test_a_missing_path_is_not_the_name_of_something_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="There is no folder"):
        check_folder(tmp_path / "Wan-AI" / "Wan2.1-T2V-14B-Diffusers")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.CKPT", "x.pickle", "pipeline.py", "a.pth"])
def test_a_file_that_runs_code_refuses_the_folder(folder: Path, name: str) -> None:
    (folder / "transformer" / name).write_bytes(b"\x80")
    with pytest.raises(Unsupported, match=rf"transformer/{name} .*remove or convert"):
        check_folder(folder)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"_class_name": None}, "plain name of a pipeline"),
        ({"_class_name": "os.system"}, "plain name of a pipeline"),
        ({"_class_name": ["pipeline", "Mine"]}, "plain name of a pipeline"),
        ({"vae": ["../code", "Vae"]}, "must name a library and a class"),
        ({"vae": ["a.b", "Vae"]}, "must name a library and a class"),
        ({"vae": ["diffusers"]}, "must name a library and a class"),
        ({"v ae": ["diffusers", "Vae"]}, "must name a library and a class"),
    ],
)
def test_an_index_with_odd_names_is_refused(folder: Path, change: dict[str, Any], text: str) -> None:
    (folder / "model_index.json").write_text(json.dumps(INDEX | change))
    with pytest.raises(Unsupported, match=text):
        check_folder(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000])
def test_an_index_that_is_no_object_is_refused(folder: Path, text: str) -> None:
    (folder / "model_index.json").write_text(text)
    with pytest.raises(Unsupported):
        check_folder(folder)


def test_a_single_checkpoint_is_no_folder_of_diffusers(tmp_path: Path) -> None:
    (tmp_path / "wan.safetensors").write_bytes(b"x")
    with pytest.raises(Unsupported, match=r"no model_index.json"):
        check_folder(tmp_path)


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "transformer" / "weights.safetensors").unlink()
    with pytest.raises(Unsupported, match="no safetensors"):
        check_folder(folder)


def test_the_digest_tells_two_trainings_of_one_shape_apart(folder: Path) -> None:
    weights = folder / "transformer" / "weights.safetensors"
    digests = {check_folder(folder).digest}
    for changed in (0, 999):
        content = bytearray(1000)
        content[changed] = 1
        weights.write_bytes(content)
        digests.add(check_folder(folder).digest)
    large = bytearray(SAMPLES * SAMPLE_BYTES * 2)
    for _ in range(2):
        weights.write_bytes(large)
        digests.add(check_folder(folder).digest)
        large[-1] = 1
    assert len(digests) == 5
    assert check_folder(folder).digest in digests


def test_a_name_matters_to_the_digest_and_the_place_of_the_folder_does_not(folder: Path, tmp_path: Path) -> None:
    before = check_folder(folder).digest
    moved = folder.rename(tmp_path.with_name("moved"))
    assert check_folder(moved).digest == before
    (moved / "transformer" / "weights.safetensors").rename(moved / "transformer" / "other.safetensors")
    assert check_folder(moved).digest != before
