"""Processes that need not be our children."""

import os
import select
from pathlib import Path


def alive(pid: int) -> bool:
    """A process that has ended and was not waited for is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def await_end(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], 300)
        assert ended, f"process {pid} lives on"
    finally:
        os.close(descriptor)
