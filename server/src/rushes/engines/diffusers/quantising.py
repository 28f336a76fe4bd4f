"""Weights of the denoiser in fewer bits: quantised while they are read, or read from a GGUF file.

That an option took effect is looked for in the weights themselves; the library passes over layers that do not suit it.
"""

import importlib.util
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from rushes.engines.diffusers.folder import WeightsFolder
from rushes.engines.diffusers.libraries import diffusers, torch
from rushes.engines.diffusers.tuning import Quantisation, Tuning
from rushes.engines.engine import Unsupported

DENOISERS: Final = ("transformer", "transformer_2")
_TORCHAO: Final[Mapping[str, str]] = {"int8": "Int8WeightOnlyConfig", "fp8": "Float8WeightOnlyConfig"}


def quantisation(kind: Quantisation, folder: WeightsFolder, where: Any) -> Any:
    """What the loader is told so that it quantises while it reads. Raises Unsupported without package or device."""
    option = f"quantise: {kind}"
    names = [name for name in DENOISERS if name in folder.components]
    if kind.startswith("bitsandbytes"):
        need("bitsandbytes", option)
        if where.type == "cpu":
            raise Unsupported(f"{option} needs a GPU, there is none here; int8 and gguf do without")
        key = "load_in_8bit" if kind.endswith("8bit") else "load_in_4bit"
        return diffusers.PipelineQuantizationConfig(
            quant_backend=kind, quant_kwargs={key: True}, components_to_quantize=names
        )
    need("torchao", option)
    chosen = getattr(import_module("torchao.quantization"), _TORCHAO[kind])
    return diffusers.PipelineQuantizationConfig(quant_mapping={n: diffusers.TorchAoConfig(chosen()) for n in names})


def from_gguf(folder: WeightsFolder, tuning: Tuning, types: Mapping[str, str]) -> dict[str, Any]:
    """The denoisers whose weights stand in GGUF files, loaded; the folder has the configuration of each.

    Raises Unsupported for a file or configuration that is not there, and for a class that is not read from such files.
    """
    loaded: dict[str, Any] = {}
    for name, file in tuning.gguf.items():
        option = f"gguf: {file}"
        need("gguf", option)
        library, class_name = folder.components.get(name, ("", ""))
        made = getattr(diffusers, class_name, None) if library == "diffusers" else None
        if made is None:
            raise Unsupported(f"{option}: the folder has no component {name} of diffusers")
        if not hasattr(made, "from_single_file"):
            raise Unsupported(f"{option}: diffusers reads no {class_name} from a single file")
        for needed in (file, f"{name}/config.json"):
            if not (folder.path / needed).is_file():
                raise Unsupported(f"{option} needs {needed}, which is not in {folder.path}")
        dtype = getattr(torch, types.get(name, types["default"]))
        loaded[name] = made.from_single_file(
            str(folder.path / file),
            config=str(folder.path / name),
            quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=dtype),
            dtype=dtype,
            local_files_only=True,
        )
    return loaded


def store_fp8(transformer: Any) -> None:
    """Keep the weights in eight bits and compute in the type they were loaded in."""
    transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=transformer.dtype)


def check_quantised(transformer: Any, option: str) -> None:
    """Raises Unsupported if no weight of a denoiser is stored in fewer bits than it would be without the option."""
    for weight in transformer.parameters():
        if type(weight) is not torch.nn.Parameter or weight.dtype == torch.float8_e4m3fn:
            return
    raise Unsupported(
        f"{option} changes nothing in {type(transformer).__name__}: no layer of it has a shape that suits"
    )


def stored_bytes(tensor: Any) -> int:
    """What a tensor takes, also where it pretends to be of the type it stands for."""
    flatten = getattr(tensor, "__tensor_flatten__", None)
    if flatten is None:
        return int(tensor.numel() * tensor.element_size())
    return sum(stored_bytes(part) for name in flatten()[0] if (part := getattr(tensor, name)) is not None)


def need(package: str, option: str) -> None:
    """Raises Unsupported where a package is missing."""
    if importlib.util.find_spec(package) is None:
        raise Unsupported(f"{option} needs the package {package}, which is not installed")
