"""Checks on a GPU, at real sizes with random weights: `make test-gpu`. What is measured is printed as a table.

Without a GPU every check is skipped. With RUSHES_GPU_CHECK=tiny they run on the CPU at a tiny size: that tries the
checks themselves and measures nothing.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from engines.conftest import THEIR_WARNINGS
from gpu.scale import REAL, TINY, Scale

HERE = Path(__file__).parent
IS_TINY = os.environ.get("RUSHES_GPU_CHECK") == "tiny"
ROWS: list[tuple[str, str]] = []


def _why_not() -> str:
    if importlib.util.find_spec("torch") is None:
        return "needs torch and a GPU; run: make test-gpu"
    if IS_TINY:
        return ""
    import torch

    return "" if torch.cuda.is_available() else "needs a GPU; RUSHES_GPU_CHECK=tiny tries the checks without one"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    why = _why_not() if ours else ""
    for item in ours:
        item.add_marker(pytest.mark.timeout(3000))
        if why:
            item.add_marker(pytest.mark.skip(reason=why))
        for warning in THEIR_WARNINGS:
            item.add_marker(pytest.mark.filterwarnings(warning))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    import diffusers
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU, tiny: figures mean nothing"
    versions = f"torch {torch.__version__}, diffusers {diffusers.__version__}, Python {sys.version.split()[0]}"
    terminalreporter.write_line(f"{datetime.now(UTC):%Y-%m-%d}, {name}, {versions}")
    terminalreporter.write_line("| check | measured |\n|---|---|")
    for what, figure in ROWS:
        terminalreporter.write_line(f"| {what} | {figure} |")


@pytest.fixture(scope="session")
def note() -> Callable[[str, str], None]:
    """Add a row to the table at the end."""
    return lambda what, figure: ROWS.append((what, figure))


@pytest.fixture(scope="session")
def scale() -> Scale:
    return TINY if IS_TINY else REAL
