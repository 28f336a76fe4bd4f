"""Named moments: where the code stands between two steps that a crash must not tear apart.

A moment costs one look at a variable. Somebody listens only in a process that a crash test has started: it is killed,
paused or cut off exactly there (tests/support/stage.py; why not by chance: decisions/0010-named-moments.md).
"""

from collections.abc import Callable

_listener: Callable[[str], None] | None = None


def moment(name: str) -> None:
    """Say that this place has been reached. Returns at once unless somebody listens."""
    if _listener is not None:
        _listener(name)


def listen(listener: Callable[[str], None] | None) -> None:
    """Call `listener` with the name of every moment of this process, in the thread that reaches it; None ends that."""
    global _listener
    _listener = listener
