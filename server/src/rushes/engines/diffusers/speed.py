"""The options that trade something for speed or memory. Each is off by itself and part of the fingerprint.

Every option is tried while loading, where a missing package or a model that cannot do it becomes Unsupported, with the
option's name; never in the middle of a request.
"""

import importlib.util
from collections.abc import Callable
from typing import Any, Final

from rushes.engines.diffusers.folder import WeightsFolder
from rushes.engines.diffusers.libraries import diffusers, torch
from rushes.engines.diffusers.tuning import Cache, CacheKind, Lora, Quantisation, Tuning
from rushes.engines.engine import Unsupported

_CACHES: Final[dict[CacheKind, str]] = {
    "first_block": "FirstBlockCacheConfig",
    "taylorseer": "TaylorSeerCacheConfig",
    "mag": "MagCacheConfig",
    "faster": "FasterCacheConfig",
    "pyramid": "PyramidAttentionBroadcastConfig",
}
_NEEDS_TIMESTEP: Final = ("faster", "pyramid")
_TORCHAO: Final[dict[Quantisation, str]] = {
    "int8": "Int8WeightOnlyConfig",
    "int4": "Int4WeightOnlyConfig",
    "fp8": "Float8WeightOnlyConfig",
}


def apply_options(pipe: Any, folder: WeightsFolder, tuning: Tuning, where: Any) -> None:
    """Put every option of a card into effect, and the pipeline on its device. Raises Unsupported."""
    transformers = denoisers(pipe)
    for lora in tuning.loras:
        _fuse(pipe, folder, lora)
    if tuning.quantise == "fp8_storage":
        _try("quantise: fp8_storage", lambda: [_store_fp8(transformer) for transformer in transformers])
    backend = tuning.attention or "native"
    for transformer in transformers:
        # Set where the card names none, too: the library keeps the last choice for the whole process.
        _try(f"attention: {backend}", lambda one=transformer: one.set_attention_backend(backend))
    if tuning.tiling:
        _tile(pipe)
    _place(pipe, tuning, where)
    if tuning.cache:
        kind, made = tuning.cache.kind, _try(f"cache: {tuning.cache.kind}", _cache_maker(pipe, tuning.cache))
        for transformer in transformers:
            _try(f"cache: {kind}", lambda one=transformer: one.enable_cache(made))
    if tuning.compile:
        for transformer in transformers:
            _try("compile", lambda one=transformer: one.compile_repeated_blocks(fullgraph=True))


def denoisers(pipe: Any) -> list[Any]:
    """The transformers that every step runs through; Wan 2.2 has two."""
    found = [pipe.components.get(name) for name in ("transformer", "transformer_2")]
    return [transformer for transformer in found if transformer is not None]


def quantisation(kind: Quantisation) -> Any:
    """What the loader is told so that it quantises while it reads. Raises Unsupported without the package."""
    if kind.startswith("bitsandbytes"):
        _need("bitsandbytes", f"quantise: {kind}")
        key = "load_in_8bit" if kind.endswith("8bit") else "load_in_4bit"
        return _try(
            f"quantise: {kind}",
            lambda: diffusers.PipelineQuantizationConfig(
                quant_backend=kind, quant_kwargs={key: True}, components_to_quantize=["transformer", "transformer_2"]
            ),
        )
    _need("torchao", f"quantise: {kind}")

    def made() -> Any:
        from importlib import import_module

        chosen = getattr(import_module("torchao.quantization"), _TORCHAO[kind])
        mapping = {name: diffusers.TorchAoConfig(chosen()) for name in ("transformer", "transformer_2")}
        return diffusers.PipelineQuantizationConfig(quant_mapping=mapping)

    return _try(f"quantise: {kind}", made)


def _place(pipe: Any, tuning: Tuning, where: Any) -> None:
    if tuning.offload == "none":
        pipe.to(where)
    elif where.type != "cuda":
        raise Unsupported(f"offload: {tuning.offload} moves weights between a GPU and the host; there is no GPU here")
    elif tuning.offload == "model":
        _try("offload: model", lambda: pipe.enable_model_cpu_offload(device=where))
    else:
        _try(
            "offload: group",
            lambda: pipe.enable_group_offload(
                onload_device=where, offload_device=torch.device("cpu"), offload_type="leaf_level", use_stream=True
            ),
        )


def _tile(pipe: Any) -> None:
    vae: Any = getattr(pipe, "vae", None)
    if not hasattr(vae, "enable_tiling"):
        raise Unsupported(f"tiling: {type(vae).__name__} cannot decode in tiles")
    vae.enable_tiling()


def _store_fp8(transformer: Any) -> None:
    transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=transformer.dtype)


def _cache_maker(pipe: Any, cache: Cache) -> Callable[[], Any]:
    arguments: dict[str, Any] = dict(cache.arguments)
    if cache.kind in _NEEDS_TIMESTEP:
        arguments["current_timestep_callback"] = lambda: pipe._current_timestep
    return lambda: getattr(diffusers, _CACHES[cache.kind])(**arguments)


def _fuse(pipe: Any, folder: WeightsFolder, lora: Lora) -> None:
    """Add a LoRA to the weights themselves, so that it costs nothing per step."""
    option = f"loras: {lora.file}"
    _need("peft", option)
    if not (folder.path / lora.file).is_file():
        raise Unsupported(f"{option} is not in {folder.path}")
    if not hasattr(pipe, "load_lora_weights"):
        raise Unsupported(f"{option}: {type(pipe).__name__} takes no LoRA")

    def fused() -> None:
        pipe.load_lora_weights(
            str(folder.path), weight_name=lora.file, use_safetensors=True, local_files_only=True, adapter_name="rushes"
        )
        pipe.fuse_lora(lora_scale=lora.weight)
        pipe.unload_lora_weights()

    _try(option, fused)


def _need(package: str, option: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise Unsupported(f"{option} needs the package {package}, which is not installed")


def _try(option: str, action: Callable[[], Any]) -> Any:
    """Run what applies an option; whatever it raises says which option cannot be had here."""
    try:
        return action()
    except Unsupported:
        raise
    except (RuntimeError, ValueError, TypeError, AttributeError, ImportError, NotImplementedError, OSError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise Unsupported(f"{option} cannot be had here: {line[:300]}") from error
