"""`rushes up` on an existing folder: from the command to ready, and which part takes how long."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.table import show

ROUNDS = 5


def run() -> None:
    """Starts and stops the real command several times on one folder."""
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        first = _start(Path(folder) / "data")
        again = [_start(Path(folder) / "data") for _ in range(ROUNDS)]
    rows = [["the first start", *_figures([first])], [f"again, {ROUNDS} times", *_figures(again)]]
    empty = median(_command([sys.executable, "-c", "pass"]) for _ in range(ROUNDS))
    imported = median(_command([sys.executable, "-c", "import rushes.platform.up, rushes.cli"]) for _ in range(ROUNDS))
    notes = [
        f"an interpreter that does nothing: {empty:.2f} s; one that imports the supervisor: {imported:.2f} s",
        "promise: ready within 3 s on an existing folder",
    ]
    show("Start-up, to the line that says ready", ["rushes up", "lowest", "median", "highest"], rows, *notes)


def _figures(values: list[float]) -> list[str]:
    return [f"{value:.2f} s" for value in (min(values), median(values), max(values))]


def _start(data: Path) -> float:
    """Seconds from the command to the line that says ready; the platform is stopped again."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "rushes", "up", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("ready in"):
                break
        else:
            raise RuntimeError(f"the platform did not start: {''.join(said)}")
        took = time.perf_counter() - begun
        process.send_signal(signal.SIGINT)
        process.wait(60)
    return took


def _command(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun
