"""How much memory processes hold."""

import os
from collections.abc import Iterable
from pathlib import Path


def resident_bytes(pids: Iterable[int]) -> int | None:
    """Resident bytes of some processes together, pages they share counted for each; None where nothing tells (not
    Linux). One that has just ended counts nothing."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE") or None
