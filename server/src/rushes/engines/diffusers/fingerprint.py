"""What decides the bytes of a frame beside its plan."""

import platform
from typing import Any, Final

from rushes.engines.diffusers.digest import plain
from rushes.engines.diffusers.folder import WeightsFolder, file_digest
from rushes.engines.diffusers.libraries import diffusers, torch, transformers
from rushes.engines.diffusers.loader import dtypes
from rushes.engines.diffusers.memory import device_name, devices
from rushes.engines.diffusers.tuning import Tuning

ENGINE_VERSION: Final = "1"
"""Raised with every change of this engine that changes frames."""


def fingerprint_parts(folder: WeightsFolder, tuning: Tuning, where: Any) -> dict[str, str]:
    """Versions, weights, device and every option that could change a frame."""
    parts = {
        "engine": ENGINE_VERSION,
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "pipeline": folder.class_name,
        "weights": folder.digest,
        "loras": ",".join(f"{file_digest(folder.path / lora.file)}*{lora.weight:g}" for lora in tuning.loras),
        "dtypes": plain(dtypes(tuning, where)),
        "device": "+".join(sorted({device_name(one) for one in devices(tuning, where)})),
        "attention": tuning.attention or "native",
        "compile": str(tuning.compile),
        "cache": tuning.cache.model_dump_json() if tuning.cache else "none",
        "quantise": tuning.quantise or "none",
        "gguf": ",".join(f"{name}={file_digest(folder.path / file)}" for name, file in tuning.gguf.items()),
        "offload": tuning.offload,
        "tiling": str(tuning.tiling),
        "context_parallel": tuning.context_parallel.model_dump_json() if tuning.context_parallel else "none",
        "batch": "1",
    }
    if where.type == "cpu":
        parts |= {"threads": str(torch.get_num_threads()), "machine": platform.machine()}
        parts["features"] = torch.backends.cpu.get_cpu_capability()
    return parts
