"""The device an engine renders on, and what it says when that is full."""

import contextlib
import os
import resource
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from rushes.engines.diffusers.libraries import torch
from rushes.engines.diffusers.placing import first_gpu
from rushes.engines.diffusers.tuning import Tuning
from rushes.engines.engine import GPUS_VARIABLE, SLOT_VARIABLE, OutOfMemory

USABLE = 0.92
"""Share of a device's memory that models may hold; the rest is the driver's and the allocator's slack."""


def device() -> Any:
    """The first GPU of this slot, of those that CUDA_VISIBLE_DEVICES leaves visible, else the CPU.

    Slots of one GPU may share one. Raises Unsupported where slots of several would.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    slot, each = int(os.environ.get(SLOT_VARIABLE, "0")), int(os.environ.get(GPUS_VARIABLE, "1"))
    return torch.device("cuda", first_gpu(slot, each, torch.cuda.device_count()))


def devices(tuning: Tuning, where: Any) -> list[Any]:
    """All that one request of a card is rendered on, the engine's own first; a CPU is one for any number of ranks."""
    if where.type == "cpu" or tuning.context_parallel is None:
        return [where]
    return [torch.device("cuda", where.index + rank) for rank in range(tuning.context_parallel.gpus)]


def copies(tuning: Tuning, where: Any) -> int:
    """How often the weights lie in the memory that models share a budget of: ranks without GPUs of their own add up."""
    return tuning.context_parallel.gpus if tuning.context_parallel and where.type == "cpu" else 1


def device_name(where: Any) -> str:
    return torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu"


def total_bytes(where: Any) -> int:
    """What models may take on a device."""
    if where.type == "cuda":
        return int(torch.cuda.get_device_properties(where).total_memory * USABLE)
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * USABLE)


def free_host_bytes() -> int:
    """Memory of the host that can be had without swapping; 0 where that is not known."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)


def forget_peak(where: Any) -> None:
    if where.type == "cuda":
        torch.cuda.reset_peak_memory_stats(where)


def peak_bytes(where: Any) -> int:
    """The most memory in use since `forget_peak`; on the CPU since the process began."""
    if where.type == "cuda":
        return int(torch.cuda.max_memory_allocated(where))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def give_back(where: Any) -> None:
    """Return cached device memory to the driver."""
    if where.type == "cuda":
        torch.cuda.empty_cache()


def is_full(error: Exception) -> bool:
    """Whether an error is one of the ways in which torch says that memory is full."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text)


@contextlib.contextmanager
def typed(what: str, where: Any) -> Generator[None]:
    """Turn every way in which torch says that memory is full into OutOfMemory."""
    try:
        yield
    except RuntimeError as error:
        if not is_full(error):
            raise
        give_back(where)
        raise OutOfMemory(f"{what} does not fit into the memory of {device_name(where)}") from error
