"""A breaker per endpoint: one that does not answer rests, longer each time, so that it costs little."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Endpoint = TypeVar("Endpoint", bound=Hashable)


@dataclass(slots=True)
class _State:
    failures: int = 0
    rest: float = 0.0
    until: float = 0.0


class Breaker(Generic[Endpoint]):
    """Counts silences in a row. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], *, limit: int = 5, rest: float = 30, longest: float = 480) -> None:
        self._clock = clock
        self._limit = limit
        self._rest = rest
        self._longest = longest
        self._states: dict[Endpoint, _State] = {}

    def answered(self, endpoint: Endpoint) -> None:
        self._states.pop(endpoint, None)

    def was_silent(self, endpoint: Endpoint) -> None:
        """At the limit, and at every silence after a rest, the endpoint rests; twice as long as the time before."""
        state = self._states.setdefault(endpoint, _State())
        state.failures += 1
        if state.failures >= self._limit and self._clock() >= state.until:
            state.rest = min(self._longest, state.rest * 2 or self._rest)
            state.until = self._clock() + state.rest

    def resting(self) -> frozenset[Endpoint]:
        """The endpoints not to be called now."""
        now = self._clock()
        return frozenset(endpoint for endpoint, state in self._states.items() if state.until > now)
