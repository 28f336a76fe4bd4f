"""Which models are in memory: the least recently used ones make room for a new one. Free of torch."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A model in memory."""

    bytes: int
    on_device: bool

    def let_go(self) -> None:
        """Give back everything it holds, other processes included."""
        ...


M = TypeVar("M", bound=Sized)


class Shelf(Generic[M]):
    """Loaded models within a budget of device bytes; `park` moves one to the host's memory, if it fits, or lets it go.

    `park` answers whether it kept the model.
    """

    def __init__(self, budget: int, park: Callable[[M], bool]) -> None:
        self.budget = budget
        self._park = park
        self._models: OrderedDict[str, M] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        """Loaded models, the one used last at the end; those parked in the host's memory are among them."""
        return tuple(self._models)

    @property
    def held(self) -> int:
        """Bytes on the device."""
        return sum(model.bytes for model in self._models.values() if model.on_device)

    def get(self, name: str) -> M | None:
        """The model, which now counts as just used."""
        if name in self._models:
            self._models.move_to_end(name)
        return self._models.get(name)

    def put(self, name: str, model: M) -> None:
        self._models[name] = model
        self._models.move_to_end(name)

    def make_room(self, needed: int) -> None:
        """Clear the device of the least recently used models until `needed` bytes are free, or none is left there."""
        for name in list(self._models):
            if self.held + needed <= self.budget:
                return
            if self._models[name].on_device:
                self.clear(name)

    def clear(self, name: str, *, keep: bool = True) -> None:
        """Take one model off the device; without `keep` it is let go. A model that is not there is no fault."""
        model = self._models.get(name)
        if model is not None and not (keep and self._park(model)):
            del self._models[name]
            model.let_go()
