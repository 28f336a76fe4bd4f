"""Environments of other people's clients: made once, with exactly the packages that a locked file names."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def locked_python(locked: Path) -> Path:
    """The interpreter of an environment that holds what `locked` names; kept in .cache between runs.

    Skips the test where the packages cannot be had.
    """
    digest = hashlib.sha256(locked.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = ROOT / ".cache" / f"{locked.stem}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        done = subprocess.run([*command, "--only-binary=:all:", "-r", locked], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{locked.name} could not be installed: {done.stderr.strip().splitlines()[-1]}")
        (folder / "complete").touch()
    return python
