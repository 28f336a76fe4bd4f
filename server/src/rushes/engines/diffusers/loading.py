"""A card and its folder made into a model, and the model's moves between device and host."""

import contextlib
import gc
import time
from collections.abc import Generator
from typing import Any

from rushes.domain.model_card import ModelCard
from rushes.engines.diffusers.caching import check_cache
from rushes.engines.diffusers.digest import fingerprint
from rushes.engines.diffusers.embeddings import EmbeddingCache
from rushes.engines.diffusers.families import class_for
from rushes.engines.diffusers.fingerprint import fingerprint_parts
from rushes.engines.diffusers.folder import WeightsFolder
from rushes.engines.diffusers.loader import load_pipeline, parameter_bytes, pipeline_class
from rushes.engines.diffusers.memory import copies, device, free_host_bytes, give_back, typed
from rushes.engines.diffusers.model import Model
from rushes.engines.diffusers.plan import kinds_of
from rushes.engines.diffusers.probe import check_agreement
from rushes.engines.diffusers.splitting import check_heads, check_machine
from rushes.engines.diffusers.team import Team
from rushes.engines.diffusers.tuning import Tuning, read_tuning
from rushes.engines.diffusers.warm_up import warm_up
from rushes.engines.engine import Control, Unsupported

ROOM_IN_HOST = 1.25
"""A model is parked in the host's memory only where that many times its size is free."""


def load_model(card: ModelCard, folder: WeightsFolder, control: Control) -> Model:
    """Raises Unsupported, OutOfMemory, Cancelled."""
    started = time.monotonic()
    tuning, where = read_tuning(card), device()
    family = tuning.figures()
    if tuning.compile and not family.compiles:
        raise Unsupported(f"compile: the family {family.name} cannot be compiled by blocks")
    if tuning.cache:
        names = [class_for(family, folder.class_name, kind) for kind in kinds_of(card, family)]
        check_cache(tuning.cache, family, [pipeline_class(name) for name in names])
    with _teamed(tuning, where) as team:
        control.progress("loading", 0, 2)
        if team:
            team.load(card.id, folder, control)
        with typed(f"{card.id} ({folder.bytes / 2**30:.1f} GiB of weights)", where):
            pipe, step_cache = load_pipeline(folder, tuning, where)
        check_agreement(pipe, family, kinds_of(card, family))
        control.progress("loading", 1, 2)
        EmbeddingCache().wrap(pipe)
        parts = fingerprint_parts(folder, tuning, where)
        model = Model(
            name=card.id,
            tuning=tuning,
            family=family,
            pipe=pipe,
            step_cache=step_cache,
            bytes=parameter_bytes(pipe) * copies(tuning, where),
            parts=parts,
            fingerprint=fingerprint(parts),
            seconds=0.0,
        )
        if team:
            assert tuning.context_parallel is not None, "else there were no team"
            check_heads(pipe, tuning.context_parallel)
            model.split, model.team = team.join(pipe, control), team
        if tuning.warm_up:
            warm_up(card, model, control)
    model.seconds = time.monotonic() - started
    return model


@contextlib.contextmanager
def _teamed(tuning: Tuning, where: Any) -> Generator[Team | None]:
    """The other ranks of a card that wants some, ended if the load fails."""
    if tuning.context_parallel is None:
        yield None
        return
    check_machine(tuning.context_parallel, where)
    team = Team(tuning, where)
    try:
        yield team
    except BaseException:
        team.close()
        raise


def park(model: Model) -> bool:
    """Move a model to the host's memory if there is plenty; else forget it, which frees its memory. Answers which."""
    where = device()
    keeps = where.type != "cpu" and model.tuning.offload == "none" and model.tuning.quantise is None
    keeps = keeps and model.team is None  # the other ranks would stay on their devices
    if keeps and free_host_bytes() > model.bytes * ROOM_IN_HOST:
        model.pipe.to("cpu", silence_dtype_warnings=True)
        model.on_device = False
    else:
        model.let_go()
        keeps = False
        gc.collect()
    give_back(where)
    return keeps


def onto_device(model: Model) -> None:
    """Bring a parked model back. Raises OutOfMemory."""
    where = device()
    with typed(model.name, where):
        model.pipe.to(where)
    model.on_device = True
