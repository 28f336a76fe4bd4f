"""The options that trade something for speed or memory. Each is off by itself and part of the fingerprint.

Every option is tried while loading, where a missing package or a model that cannot do it becomes Unsupported, with the
option's name; never in the middle of a request.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from rushes.engines.diffusers.caching import StepCache
from rushes.engines.diffusers.folder import WeightsFolder
from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.memory import is_full
from rushes.engines.diffusers.quantising import DENOISERS, check_quantised, need, store_fp8
from rushes.engines.diffusers.tuning import Lora, Offload, Tuning
from rushes.engines.engine import Unsupported

USUAL_ATTENTION: Final = "native"


def apply_options(
    pipe: Any, folder: WeightsFolder, tuning: Tuning, where: Any, types: Mapping[str, str]
) -> StepCache | None:
    """Put every option of a card into effect, and the pipeline on its device. Raises Unsupported.

    `types` are those that components were loaded in. Answers the step cache, which wants to know of every run.
    """
    transformers = denoisers(pipe)
    for lora in tuning.loras:
        _fuse(pipe, folder, lora)
    if tuning.quantise == "fp8_storage":
        for transformer in transformers:
            tried("quantise: fp8_storage", lambda one=transformer: store_fp8(one))
    if tuning.quantise:
        for transformer in transformers:
            check_quantised(transformer, f"quantise: {tuning.quantise}")
    if tuning.tiling:
        _tile(pipe)
    _place(pipe, tuning.offload, where)
    for name in DENOISERS:
        if pipe.components.get(name) is not None:
            kind = getattr(torch, types.get(name, types["default"]))
            _attend(pipe.components[name], tuning.attention, where, kind)
    cache = None
    if tuning.cache:
        cache = StepCache(tuning.cache, tuning.figures())
        tried(f"cache: {tuning.cache.kind}", lambda: cache.enable(transformers))
    if tuning.compile:
        # The hooks of a cache and of eight-bit storage are no part of any graph: blocks are compiled around them.
        whole = tuning.cache is None and tuning.quantise != "fp8_storage"
        for transformer in transformers:
            tried("compile", lambda one=transformer: one.compile_repeated_blocks(fullgraph=whole))
    return cache


def denoisers(pipe: Any) -> list[Any]:
    """The transformers that every step runs through; Wan 2.2 has two."""
    found = [pipe.components.get(name) for name in DENOISERS]
    return [transformer for transformer in found if transformer is not None]


def _attend(transformer: Any, backend: str | None, where: Any, kind: Any) -> None:
    """Choose the attention backend, and run it once: some are found missing only then.

    It is set where the card names none, too: the library keeps the last choice for the whole process.
    """
    chosen = backend or USUAL_ATTENTION
    tried(f"attention: {chosen}", lambda: transformer.set_attention_backend(chosen))
    if backend is None:
        return
    dispatch = import_module("diffusers.models.attention_dispatch")
    shape = (1, 256, transformer.config.num_attention_heads, transformer.config.attention_head_dim)

    def attended() -> None:
        given = torch.ones(shape, device=where, dtype=kind)
        dispatch.dispatch_attention_fn(given, given, given, backend=dispatch.AttentionBackendName(chosen))

    tried(f"attention: {chosen}", attended)


def _place(pipe: Any, offload: Offload, where: Any) -> None:
    if offload == "none":
        pipe.to(where)
    elif where.type == "cpu":
        raise Unsupported(f"offload: {offload} moves weights between a GPU and the host; there is no GPU here")
    else:
        tried(f"offload: {offload}", lambda: offloaded(pipe, offload, where))


def offloaded(pipe: Any, offload: Offload, where: Any) -> None:
    """Let weights wait in the host's memory until they are needed: whole components, or layer by layer."""
    if offload == "model":
        pipe.enable_model_cpu_offload(device=where)
    else:
        pipe.enable_group_offload(
            onload_device=where,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=where.type == "cuda",
        )


def _tile(pipe: Any) -> None:
    vae: Any = getattr(pipe, "vae", None)
    if not hasattr(vae, "enable_tiling"):
        raise Unsupported(f"tiling: {type(vae).__name__} cannot decode in tiles")
    vae.enable_tiling()


def _fuse(pipe: Any, folder: WeightsFolder, lora: Lora) -> None:
    """Add a LoRA to the weights themselves, so that it costs nothing per step."""
    option = f"loras: {lora.file}"
    need("peft", option)
    if not (folder.path / lora.file).is_file():
        raise Unsupported(f"{option} is not in {folder.path}")
    if not hasattr(pipe, "load_lora_weights"):
        raise Unsupported(f"{option}: {type(pipe).__name__} takes no LoRA")

    def fused() -> None:
        pipe.load_lora_weights(
            str(folder.path), weight_name=lora.file, use_safetensors=True, local_files_only=True, adapter_name="rushes"
        )
        if not pipe.get_list_adapters():
            raise Unsupported(f"{option}: none of its weights is named like a layer of {type(pipe).__name__}")
        pipe.fuse_lora(lora_scale=lora.weight)
        pipe.unload_lora_weights()

    tried(option, fused)


def tried(option: str, action: Callable[[], Any]) -> Any:
    """Run what applies an option; whatever it raises says which option cannot be had here."""
    try:
        return action()
    except Unsupported:
        raise
    except (RuntimeError, ValueError, TypeError, AttributeError, ImportError, NotImplementedError, OSError) as error:
        if is_full(error):
            raise
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise Unsupported(f"{option} cannot be had here: {line[:300]}") from error
