"""Which GPUs are a slot's. Free of torch."""

from rushes.engines.engine import Unsupported


def first_gpu(slot: int, each: int, count: int) -> int:
    """The first of the `each` GPUs of a slot, among `count`. Slots of one GPU go round; a team shares with nobody.

    Raises Unsupported for a slot of several GPUs that would have none left.
    """
    first = slot * each
    if each > 1 and first + each > count:
        raise Unsupported(
            f"context_parallel: a card of this worker takes {each} GPUs, so slot {slot} would need the GPUs {first} to "
            f"{first + each - 1}; {count} are visible. Set RUSHES_SLOTS to at most {max(1, count // each)}"
        )
    return first % count
