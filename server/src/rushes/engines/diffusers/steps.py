"""Progress from inside a pipeline: its progress bars and its step callback, in place of the ones it would draw.

A bar is told of every step by each pipeline there is; the callback is called by most, also at steps that a scheduler of
second order takes between two ticks of the bar. Both are where a cancelled run leaves: an exception raised here comes
out of the pipeline at once, and the next run with the same seed gives the same bytes.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Self

from rushes.engines.engine import Control


class Steps:
    """The hooks of one run. `expected` bars are opened, one for each part of a long clip."""

    def __init__(self, control: Control, expected: int = 1) -> None:
        self._control = control
        self._expected = expected
        self._opened = 0
        self._total = 1
        self.done = 0
        """Ticks of all bars."""

    def bar(self, iterable: Iterable[Any] | None = None, total: int | None = None) -> "_Bar":
        """What a pipeline calls `progress_bar`."""
        items = None if iterable is None else list(iterable)
        self._total = max(1, total or len(items or ()))
        self._opened += 1
        self._report(0)
        return _Bar(self, items)

    def after_step(self, pipe: Any, step: int, timestep: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """What a pipeline calls `callback_on_step_end`. Raises Cancelled."""
        self._control.check()
        return kwargs

    def tick(self, ticks: int, amount: int) -> None:
        self.done += amount
        self._report(min(ticks, self._total))

    def _report(self, ticks: int) -> None:
        """A bar beyond those expected stands at the end: progress never goes back. Raises Cancelled."""
        before = min(self._opened, self._expected + 1) - 1
        done = min(before * self._total + ticks, self._expected * self._total)
        self._control.progress("denoise", done, self._expected * self._total)


class _Bar:
    """As much of a progress bar as pipelines use."""

    def __init__(self, steps: Steps, items: list[Any] | None) -> None:
        self._steps = steps
        self._items = items
        self._ticks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is drawn, so nothing is left to close."""

    def __iter__(self) -> Iterator[Any]:
        for item in self._items or ():
            yield item
            self.update()

    def update(self, n: int = 1) -> None:
        """Raises Cancelled."""
        self._ticks += n
        self._steps.tick(self._ticks, n)
