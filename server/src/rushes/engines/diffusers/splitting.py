"""One denoising step shared by several devices: what goes, and how a loaded model is told (context parallelism).

The tokens of a clip are divided among the ranks. Ulysses exchanges them for attention heads and back, ring hands keys
and values round. Ulysses: arXiv:2309.14509, ring: arXiv:2310.01889.
"""

import datetime
import os
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import Any, Final

from rushes.engines.diffusers.libraries import diffusers, torch
from rushes.engines.diffusers.plan import rendered_size
from rushes.engines.diffusers.probe import grid, time_grid
from rushes.engines.diffusers.speed import denoisers, tried
from rushes.engines.diffusers.tuning import ContextParallel
from rushes.engines.engine import InvalidInput, Plan, Unsupported

OPTION: Final = "context_parallel"
COLLECTIVE_SECONDS: Final = 1800
"""How long a rank waits for another that is alive; one that is not is noticed at once by its line."""


def check_machine(parallel: ContextParallel, where: Any) -> None:
    """Before anything is loaded. Raises Unsupported where the machine cannot do it."""
    if where.type == "cpu":
        if parallel.kind == "ring":
            raise Unsupported(
                f"{OPTION}: ring needs a GPU: on a CPU no attention tells the log-sum-exp it adds up; take ulysses"
            )
        return
    count = torch.cuda.device_count()
    if where.index + parallel.gpus > count:
        raise Unsupported(
            f"{OPTION}: {parallel.gpus} GPUs from number {where.index} on are wanted, this worker sees {count}"
        )


def check_heads(pipe: Any, parallel: ContextParallel) -> None:
    """Raises Unsupported where attention heads cannot be dealt out evenly."""
    for transformer in denoisers(pipe):
        heads = int(transformer.config.num_attention_heads)
        if parallel.kind == "ulysses" and heads % parallel.gpus:
            raise Unsupported(f"{OPTION}: {heads} attention heads cannot be dealt out evenly to {parallel.gpus} GPUs")


def listening() -> tuple[socket.socket, int]:
    """A socket on the loopback for the team to meet at, and its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


def meet(rank: int, size: int, port: int, where: Any, listener: socket.socket | None = None) -> None:
    """Make the process group; blocks until all ranks are there. Rank 0 brings the socket that `listening` gave."""
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    for variable in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        os.environ.setdefault(variable, loopback)  # nobody else is to reach it
    distributed, limit = torch.distributed, datetime.timedelta(seconds=COLLECTIVE_SECONDS)
    descriptor = {"master_listen_fd": listener.detach()} if listener else {}
    store = distributed.TCPStore("127.0.0.1", port, size, rank == 0, limit, wait_for_workers=False, **descriptor)
    backend = "cpu:gloo"
    if where.type == "cuda":
        torch.cuda.set_device(where)
        backend = "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=limit)


def part() -> None:
    """Leave the process group without asking the others, who may be dead."""
    distributed = torch.distributed
    if not distributed.is_initialized():
        return
    if torch.cuda.is_available():
        distributed.distributed_c10d._abort_process_group()
    else:
        distributed.destroy_process_group()


def agreed(stop: bool) -> bool:
    """Rank 0's answer, on every rank: one number over the CPU's group, which waits for nothing on the GPU."""
    answer = torch.tensor([int(stop)], dtype=torch.int32)
    torch.distributed.broadcast(answer, 0)
    return bool(answer.item())


class Split:
    """The denoisers of one model, divided among the ranks of the process group."""

    def __init__(self, pipe: Any, parallel: ContextParallel, rank: int, where: Any) -> None:
        """Blocks until all ranks are at it. Raises Unsupported for an attention backend that cannot do it."""
        self._parallel, self._rank, self._where = parallel, rank, where
        shape = (parallel.gpus, 1) if parallel.kind == "ring" else (1, parallel.gpus)
        self._mesh = torch.distributed.device_mesh.init_device_mesh(
            where.type, shape, mesh_dim_names=("ring", "ulysses")
        )
        self._configs: list[Any] = []
        for transformer in denoisers(pipe):
            tried(OPTION, lambda one=transformer: self._enable(one))

    def fit(self, pipe: Any, plan: Plan) -> None:
        """Set up for the tokens of a plan. Raises InvalidInput for a number that cannot be divided here."""
        width, height = rendered_size(plan)
        spatial, temporal = grid(pipe) or 1, time_grid(pipe) or 1
        tokens = ((plan.num_frames - 1) // temporal + 1) * (width // spatial) * (height // spatial)
        uneven = tokens % self._parallel.gpus != 0
        if uneven and self._where.type == "cpu":
            # gloo gathers only parts of one size; nccl can do with others.
            raise InvalidInput(
                f"{width}x{height} with {plan.num_frames} frames is {tokens} parts of a picture, which cannot be "
                f"divided evenly among {self._parallel.gpus} processes without a GPU; choose another size"
            )
        for config in self._configs:
            setattr(config, f"{self._parallel.kind}_anything", uneven)

    def _enable(self, transformer: Any) -> None:
        degree = {f"{self._parallel.kind}_degree": self._parallel.gpus}
        config = diffusers.ContextParallelConfig(**degree, mesh=self._mesh)
        # The library places a rank on the GPU of its number, of no GPU by dividing by zero. Where ours is was decided
        # already, so for this one call the object answers with that.
        transformer._resolve_parallel_config = partial(self._resolved, transformer)
        try:
            transformer.enable_parallelism(config=config, cp_plan=_plan_for(transformer))
        finally:
            del transformer._resolve_parallel_config
        for block in getattr(transformer, "transformer_blocks", ()):
            # Tokens look at the text, which every rank has whole: nothing is exchanged for that.
            block.attn2.processor._parallel_config = None
        self._configs.append(config)

    def _resolved(self, transformer: Any, given: Any) -> Any:
        config = diffusers.ParallelConfig(context_parallel_config=given)
        config.setup(self._rank, self._parallel.gpus, self._where, mesh=self._mesh)
        transformer._parallel_config = config
        return config


def _plan_for(transformer: Any) -> Any:
    """What is divided along which side: the library's plan, None, but for LTX.

    There the library divides the text as well, whose mask then has too many heads, and forgets that with a picture
    every token has a time of its own.
    """
    if type(transformer).__name__ != "LTXVideoTransformer3DModel":
        return None
    library = transformer._cp_plan
    tokens = library[""]["hidden_states"]
    return {**library, "": {"hidden_states": tokens, "timestep": replace(tokens, expected_dims=2)}}
