"""What an earlier PostgreSQL left in its data folder: processes still ending, and files that name dead ones.

The oracle is a lock, not a process number: the server and all its children inherit the file `server.lock`, locked, so
it can be locked again exactly when the last of them is gone. Numbers are judged only by what the process runs.
"""

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

from rushes.store.platform_error import PlatformError

_PATIENCE = 10.0
"""Seconds that an old server gets to shut down before it is killed."""
_GRACE = 5.0
"""Seconds that the kernel gets to remove killed processes."""


_STARTER_PATIENCE = 1.0
"""Seconds that a dying holder of a lock gets before it counts as running."""


def starter_lock(path: Path) -> tuple[int | None, list[str]]:
    """Open and lock the file by which starters exclude each other: the open file, None if one runs; and its lines.

    A starter that was just killed holds its lock until the kernel has come round to it, so one second is waited.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _STARTER_PATIENCE
    while not (free := try_lock(lock)) and time.monotonic() < deadline:
        time.sleep(0.02)
    lines = os.pread(lock, 4096, 0).decode(errors="replace").split("\n")
    if free:
        return lock, lines
    os.close(lock)
    return None, lines


def note(lock: int, *lines: str) -> None:
    """Write our process number and `lines` into a lock file that we hold."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, "\n".join((str(os.getpid()), *lines, "")).encode(), 0)


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock on an open file; False if another open file holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_until_gone(server_lock: int, data: Path, patience: float = _PATIENCE) -> None:
    """Return with `server_lock` held, once no process of an earlier server is left. The starter lock must be held.

    An old server is asked to shut down, and killed with all its processes after `patience` seconds.

    Raises PlatformError when processes survive even a kill, or when a server that we never started uses the folder.
    """
    deadline = time.monotonic() + patience
    if not try_lock(server_lock):
        _signal(_servers(data), signal.SIGINT)
    while not try_lock(server_lock):
        if time.monotonic() > deadline:
            _kill(server_lock, data)
            break
        time.sleep(0.02)
    strangers = _servers(data)
    if strangers:
        raise PlatformError(
            f"A PostgreSQL server that was not started here uses {data} (pid {strangers[0]}); stop it first"
        )
    (data / "postmaster.pid").unlink(missing_ok=True)


def _kill(server_lock: int, data: Path) -> None:
    _signal([*_servers(data), *_workers(data)], signal.SIGKILL)
    deadline = time.monotonic() + _GRACE
    while not try_lock(server_lock):
        if time.monotonic() > deadline:
            raise PlatformError(f"Processes of an earlier PostgreSQL in {data} do not end; restart the machine")
        time.sleep(0.02)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _servers(data: Path) -> list[int]:
    """The process that postmaster.pid names, if it is alive and really a PostgreSQL server in this folder."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return []
    return [pid] if pid > 0 and _is_postgres_in(pid, data) else []


def _workers(data: Path) -> list[int]:
    """Every PostgreSQL process that works in the folder; known only where /proc exists."""
    numbers = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in numbers if _is_postgres_in(pid, data)]


def _is_postgres_in(pid: int, data: Path) -> bool:
    process = Path("/proc") / str(pid)
    if not Path("/proc/self").exists():
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return "postgres" in shown.stdout and str(data) in shown.stdout
    try:
        name = process.joinpath("cmdline").read_bytes().split(b"\0", 1)[0]
        # PostgreSQL works in its data folder all its life (miscinit.c, ChangeToDataDir).
        return b"postgres" in name and process.joinpath("cwd").samefile(data)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
