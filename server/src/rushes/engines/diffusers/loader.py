"""From a checked folder to a pipeline on the device."""

import warnings
from collections.abc import Mapping
from typing import Any

from rushes.engines.diffusers.caching import StepCache
from rushes.engines.diffusers.folder import WeightsFolder
from rushes.engines.diffusers.libraries import diffusers, torch
from rushes.engines.diffusers.memory import is_full
from rushes.engines.diffusers.quantising import from_gguf, quantisation, stored_bytes
from rushes.engines.diffusers.speed import apply_options
from rushes.engines.diffusers.tuning import Tuning
from rushes.engines.engine import Unsupported

LIBRARIES = ("diffusers", "transformers")


def load_pipeline(folder: WeightsFolder, tuning: Tuning, where: Any) -> tuple[Any, StepCache | None]:
    """The pipeline of a folder with its options applied, on the device it renders on; and its step cache, if any.

    Only classes of diffusers and transformers are made, only safetensors and GGUF are read, nothing is fetched. Raises
    Unsupported for what the folder or an option asks and this installation cannot do.
    """
    _judge_components(folder)
    types = dtypes(tuning, where)
    arguments: dict[str, Any] = {"dtype": {name: getattr(torch, kind) for name, kind in types.items()}}
    if tuning.quantise and tuning.quantise != "fp8_storage":
        arguments["quantization_config"] = quantisation(tuning.quantise, folder, where)
    try:
        with warnings.catch_warnings():
            # What its authors deprecate, a test of ours would turn into an error in the middle of a load.
            warnings.simplefilter("ignore")
            arguments |= from_gguf(folder, tuning, types)
            # By its own class: the general one overlooks components that are optional and given.
            pipe = pipeline_class(folder.class_name).from_pretrained(
                str(folder.path), use_safetensors=True, local_files_only=True, **arguments
            )
    except (OSError, ValueError, ImportError, AttributeError, TypeError, KeyError, RuntimeError) as error:
        if is_full(error):
            raise
        raise Unsupported(f"{folder.path} cannot be loaded: {_first_line(error)}") from error
    for component in pipe.components.values():
        if isinstance(component, torch.nn.Module):
            component.eval()
    return pipe, apply_options(pipe, folder, tuning, where, types)


def dtypes(tuning: Tuning, where: Any) -> dict[str, str]:
    """The type of each component that has one of its own, and `default`: bfloat16 on a GPU, float32 on a CPU."""
    usual = tuning.dtype or ("bfloat16" if where.type == "cuda" else "float32")
    return {"default": usual, **tuning.dtypes}


def sibling(pipe: Any, class_name: str) -> Any:
    """A pipeline of another class around the same components and settings; nothing is copied or converted.

    (The library's own `from_pipe` would convert every component to one type.) Raises Unsupported if a component that
    the class cannot do without is missing.
    """
    if class_name == type(pipe).__name__:
        return pipe
    made = pipeline_class(class_name)
    parameters, optional = made._get_signature_keys(made)
    have: Mapping[str, Any] = {**pipe.config, **pipe.components}
    lacking = [name for name in parameters if name not in have and name not in made._optional_components]
    if lacking:
        raise Unsupported(f"{class_name} needs {', '.join(sorted(lacking))}, which {type(pipe).__name__} does not have")
    given = {name: have.get(name) for name in parameters}
    given |= {name: have[name] for name in optional if name in have}
    return made(**given)


def pipeline_class(name: str) -> Any:
    """Raises Unsupported for a class that the installed diffusers does not have."""
    made = getattr(diffusers, name, None)
    if not (isinstance(made, type) and issubclass(made, diffusers.DiffusionPipeline)):
        raise Unsupported(f"diffusers {diffusers.__version__} has no pipeline {name}")
    return made


def parameter_bytes(pipe: Any) -> int:
    """What the weights of all components take, as they are stored."""
    total = 0
    for component in pipe.components.values():
        if isinstance(component, torch.nn.Module):
            for tensor in (*component.parameters(), *component.buffers()):
                total += stored_bytes(tensor)
    return total


def _judge_components(folder: WeightsFolder) -> None:
    """Only what these two libraries themselves hold: a name in an index must never decide what is imported."""
    pipeline_class(folder.class_name)
    for name, (library, class_name) in folder.components.items():
        if library not in LIBRARIES and not hasattr(diffusers.pipelines, library):
            raise Unsupported(f"The component {name} is of {library}, only {' and '.join(LIBRARIES)} are loaded")
        if class_name.startswith("_"):
            raise Unsupported(f"The component {name} is of {class_name}, which is no public class")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:400]
