"""What a qworker offers to serve: its lanes, which of them need no loading now, and the models it found it cannot."""

from collections.abc import Iterable, Sequence

from rushes.engines.lanes import label_of, model_of
from rushes.store.records import Request
from rushes.worker.slot import Slot

MAX_REASON = 300


class Offer:
    """The lanes shrink when a model turns out to be more than this machine can do; a restart asks again."""

    def __init__(self, lanes: Sequence[str]) -> None:
        self.lanes = list(lanes)
        self.refused: dict[str, str] = {}
        """Model to reason."""

    def refuse(self, lane: str, model: str, reason: str) -> None:
        """Claim no more requests for a model; a lane of its own is given up with it."""
        self.refused[model] = reason[:MAX_REASON]
        if model_of(lane) and lane in self.lanes:
            self.lanes.remove(lane)

    def ready(self, slots: Iterable[Slot]) -> list[str]:
        """The lanes that cost no loading on one of some slots: those without weights, and what is loaded there."""
        loaded = {(label, model) for slot in slots for label, model in slot.loaded()}
        return [lane for lane in self.lanes if not model_of(lane) or (label_of(lane), model_of(lane)) in loaded]


def matched(slots: Sequence[Slot], claimed: Sequence[Request]) -> list[tuple[Slot, Request]]:
    """Each claimed request with a slot: one that has its model loaded if there is one, else the first that is left."""
    left, pairs = list(slots), list[tuple[Slot, Request]]()
    waiting = list(claimed)
    for request in claimed:
        warm = next((slot for slot in left if (label_of(request.lane), request.model) in slot.loaded()), None)
        if warm is not None:
            left.remove(warm)
            waiting.remove(request)
            pairs.append((warm, request))
    return pairs + list(zip(left, waiting, strict=False))
