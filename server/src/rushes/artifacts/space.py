"""Room on a disk, looked at before work is taken on that would fill it."""

import shutil
from pathlib import Path

RESERVED_SHARE = 0.05
RESERVED_BYTES = 2 << 30
"""What stays free: a twentieth of the disk, but of a large one no more than this. A database that finds no room stops,
and what runs already needs some."""


class Space:
    """The disk of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def shortage(self) -> str | None:
        """A sentence with both figures while less is free than is reserved, None while there is room. Costs one call
        of the system and remembers nothing, so work goes on as soon as somebody has made room."""
        try:
            total, _, free = shutil.disk_usage(self._folder)
        except OSError as error:
            return f"the disk cannot be asked: {error.strerror}"
        reserved = min(int(total * RESERVED_SHARE), RESERVED_BYTES)
        if free >= reserved:
            return None
        return f"the disk is nearly full: {free // 1_000_000} MB are free, {reserved // 1_000_000} MB stay reserved"
