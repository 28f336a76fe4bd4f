"""What an idle platform holds in memory: each process's proportional share, as Linux counts it."""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

from bench.table import show


def run() -> None:
    """`rushes up` after ten idle seconds; pages that processes share are divided among them (PSS)."""
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        command = [sys.executable, "-m", "rushes", "up", "--port", "0", "--data", f"{folder}/data"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        assert process.stdout is not None
        with process.stdout:
            next(line for line in process.stdout if line.startswith("ready in"))
            time.sleep(10)
            shares = _shares(process.pid)
            process.terminate()
            process.wait(60)
    empty = _empty()
    served = sum(shares[part] for part in ("API", "qworker", "PostgreSQL"))
    rows = [[part, f"{size / 2**20:.0f} MiB", f"{size / empty:.1f}x"] for part, size in shares.items()]
    rows.append(["API + qworker + PostgreSQL", f"{served / 2**20:.0f} MiB", f"{served / empty:.1f}x"])
    notes = [
        f"an interpreter that does nothing: {empty / 2**20:.0f} MiB",
        "target: API + qworker + PostgreSQL <= 200 MiB",
    ]
    show("Memory of an idle platform", ["process", "share", "of an interpreter"], rows, *notes)


def _shares(pid: int) -> dict[str, int]:
    """Bytes of each part, by what its command line says."""
    shares: dict[str, int] = defaultdict(int)
    supervisor = psutil.Process(pid)
    for process in (supervisor, *supervisor.children(recursive=True)):
        shares[_part(process.cmdline())] += _proportional(process.pid)
    return dict(shares)


def _part(words: list[str]) -> str:
    text = " ".join(words)
    for word, part in (
        ("child_main", "engine child"),
        (" serve ", "API"),
        (" worker ", "qworker"),
        (" up ", "supervisor"),
    ):
        if word in text:
            return part
    return "PostgreSQL" if "postgres" in text else "other"


def _proportional(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Pss: in smaps_rollup")


def _empty() -> int:
    """An interpreter that waits."""
    waiting = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        share = _proportional(process.pid)
        process.communicate(b"\n")
    return share
