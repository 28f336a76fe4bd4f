"""How long the imports take that a user, or a start, waits for."""

import subprocess
import sys
import time
from statistics import median

from bench.table import milliseconds, show

ROUNDS = 7
MODULES = {
    "(nothing)": "",
    "gmicloud": "gmicloud",
    "rushes.cli": "rushes.cli",
    "rushes.platform.up": "rushes.platform.up",
    "all of rushes bootstrap": "rushes.cli, rushes.cli.processes, rushes.accounts.bootstrap",
    "all of rushes serve": "rushes.cli, rushes.cli.processes, uvicorn, rushes.api.app, rushes.api.wiring",
    "all of rushes worker": "rushes.cli, rushes.cli.processes, rushes.worker.assembly",
    "all of an engine child": "rushes.worker.child_main, rushes.engines.animatic.engine",
}


def run() -> None:
    """CPU and wall seconds of a fresh interpreter that imports and ends, the median of several, in turn."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in MODULES}
    for _ in range(ROUNDS):
        for name, modules in MODULES.items():
            times[name].append(_fresh(modules))
    empty_wall, empty_cpu = (median(values) for values in zip(*times["(nothing)"], strict=True))
    rows: list[list[str]] = []
    for name, values in times.items():
        wall, cpu = (median(column) for column in zip(*values, strict=True))
        rows.append(
            [
                name,
                milliseconds(wall),
                milliseconds(cpu),
                milliseconds(wall - empty_wall),
                milliseconds(cpu - empty_cpu),
            ]
        )
    head = ["import", "wall", "CPU", "wall, net", "CPU, net"]
    show("Imports, in a fresh interpreter with warm files", head, rows, "promise: gmicloud < 300 ms")


def _fresh(modules: str) -> tuple[float, float]:
    """Wall and CPU seconds of one."""
    program = f"{f'import {modules}' if modules else ''}\nimport time\nprint(time.process_time())"
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return time.perf_counter() - begun, float(done.stdout)
