"""Prompts whose embeddings are still at hand: above all the negative one, which most requests of a model share."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, cast

from rushes.engines.diffusers.libraries import torch

KEPT: Final = 32
_PLAIN: Final = (str, int, float, bool, type(None))


class EmbeddingCache:
    """Remembers what the text encoders of one model answered, the latest KEPT answers.

    It wraps the methods `_get_..._prompt_embeds` of a pipeline, which every family has, on the object. Calls with
    anything but plain values (a picture beside the text) go through. The same text gives the same bytes.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self.hits = 0

    def wrap(self, pipe: Any) -> None:
        """Put the cache before every text encoder of a pipeline."""
        for name in dir(pipe):
            if name.startswith("_get_") and name.endswith("_prompt_embeds"):
                setattr(pipe, name, self._cached(name, getattr(pipe, name)))

    def _cached(self, name: str, encode: Callable[..., Any]) -> Callable[..., Any]:
        def cached(*args: Any, **kwargs: Any) -> Any:
            key = _key((name, args, tuple(sorted(kwargs.items()))))
            if key is None:
                return encode(*args, **kwargs)
            if key in self._answers:
                self._answers.move_to_end(key)
                self.hits += 1
            else:
                self._answers[key] = encode(*args, **kwargs)
                if len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
            return _copy(self._answers[key])  # a pipeline may write into what it was given

        return cached


def _key(value: Any) -> Any:
    """A value that can be looked up, or None where it holds anything but plain values, devices and types."""
    if isinstance(value, _PLAIN):
        return (type(value).__name__, value)
    if isinstance(value, (torch.device, torch.dtype)):
        return str(value)
    if isinstance(value, dict):
        value = sorted(cast(dict[str, Any], value).items())
    if isinstance(value, (list, tuple)):
        parts = tuple(_key(part) for part in cast(list[Any], value))
        return None if None in parts else parts
    return None


def _copy(answer: Any) -> Any:
    if isinstance(answer, torch.Tensor):
        return answer.clone()
    if isinstance(answer, tuple):
        return tuple(_copy(part) for part in cast(tuple[Any, ...], answer))
    if isinstance(answer, list):
        return [_copy(part) for part in cast(list[Any], answer)]
    return answer
