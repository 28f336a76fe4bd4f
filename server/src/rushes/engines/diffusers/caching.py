"""A step cache put to work on the transformers of one model.

The library enables a cache without a word where it finds nothing to hook, or where the pipeline does not say which half
of the guidance it computes; both are looked for here, the second before anything is loaded.
"""

import inspect
from collections.abc import Sequence
from typing import Any, Final

from rushes.engines.diffusers.caches import MINDS_HALVES, Cache, CacheKind
from rushes.engines.diffusers.families import Family
from rushes.engines.diffusers.libraries import diffusers
from rushes.engines.engine import Unsupported

_CONFIGS: Final[dict[CacheKind, str]] = {
    "first_block": "FirstBlockCacheConfig",
    "taylorseer": "TaylorSeerCacheConfig",
    "mag": "MagCacheConfig",
    "faster": "FasterCacheConfig",
    "pyramid": "PyramidAttentionBroadcastConfig",
}


class StepCache:
    """One cache on one model, whichever of its pipelines runs."""

    def __init__(self, cache: Cache, family: Family) -> None:
        self.kind: CacheKind = cache.kind
        self._settings = cache.settings()
        self._running: Any = None
        if cache.kind == "faster":
            # Only one layout of the output can be taken apart into its halves; in others attention alone is cached.
            apart = family.halves == "in frames"
            self._settings |= {"is_guidance_distilled": not apart, "tensor_format": "BFCHW"}
            self._settings["attention_weight_callback"] = _half
        if cache.kind in MINDS_HALVES:
            self._settings["current_timestep_callback"] = lambda: self._running._current_timestep
        self._config: Any = None

    def enable(self, transformers: Sequence[Any]) -> None:
        """Raises what the library raises, and Unsupported where nothing in the model would be cached."""
        if self.kind == "mag" and len(transformers) > 1:
            raise Unsupported("cache: mag counts steps by one transformer, this model shares them among two")
        self._config = self._configured(2)
        for transformer in transformers:
            before = _hooks(transformer)
            try:
                transformer.enable_cache(self._config)
            except IndexError as error:
                raise Unsupported(f"cache: {self.kind} needs at least two blocks in a transformer") from error
            if _hooks(transformer) - before <= (self.kind == "faster"):
                raise Unsupported(f"cache: {self.kind} finds nothing in {type(transformer).__name__} to cache")

    def begin(self, pipe: Any, steps: int) -> None:
        """Before each run: which pipeline it is, and in how many steps."""
        self._running = pipe
        if self.kind == "mag":
            fresh = self._configured(steps)
            self._config.num_inference_steps, self._config.mag_ratios = fresh.num_inference_steps, fresh.mag_ratios

    def _configured(self, steps: int) -> Any:
        count = {"num_inference_steps": steps} if self.kind == "mag" else {}
        return getattr(diffusers, _CONFIGS[self.kind])(**self._settings, **count)


def check_cache(cache: Cache, family: Family, pipelines: Sequence[Any]) -> None:
    """Whether a cache is right for the pipeline classes of a card. Raises Unsupported saying why it is not."""
    if cache.kind in MINDS_HALVES:
        if family.halves == "apart":
            raise Unsupported(
                f"cache: {cache.kind} would mix what is computed with the prompt and without it, which the family "
                f"{family.name} does in turns"
            )
        needed = "_current_timestep"
    else:
        needed = "cache_context"
    for made in pipelines:
        if needed not in inspect.unwrap(made.__call__).__code__.co_names:
            raise Unsupported(f"cache: {cache.kind} needs a pipeline that says {needed}, {made.__name__} does not")


def _half(_: Any) -> float:
    """How far attention is carried on from its last two values: the library's own choice, without its warning."""
    return 0.5


def _hooks(transformer: Any) -> int:
    registries = [getattr(module, "_diffusers_hook", None) for module in transformer.modules()]
    return sum(len(registry.hooks) for registry in registries if registry is not None)
