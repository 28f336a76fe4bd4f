"""The page's scripts keep the types that their comments promise, strictly; TypeScript reads them and writes nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TYPESCRIPT = "5.9.3"
PROJECT = Path(__file__).with_name("tsconfig.json")
npm = shutil.which("npm")


@pytest.fixture(scope="module")
def tsc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler, of this version, in a folder of its own."""
    if npm is None:
        pytest.skip("no npm on this machine, which brings TypeScript")
    folder = tmp_path_factory.mktemp("typescript")
    command = [npm, "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder)]
    subprocess.run([*command, f"typescript@{TYPESCRIPT}"], check=True, capture_output=True, timeout=120)
    return folder / "node_modules" / ".bin" / "tsc"


def checked(tsc: Path, project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tsc, "-p", project], capture_output=True, text=True, timeout=120)


@pytest.mark.long
def test_every_script_has_the_types_it_says(tsc: Path) -> None:
    found = checked(tsc, PROJECT)
    assert found.returncode == 0, found.stdout


@pytest.mark.long
def test_a_script_that_breaks_its_word_is_found(tsc: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.js").write_text("/** @param {string} text */\nexport const size = (text) => text.breadth;\n")
    options = PROJECT.read_text("utf-8").replace("../../server/src/rushes/playground/static/**/*.js", "wrong.js")
    (tmp_path / "tsconfig.json").write_text(options)
    found = checked(tsc, tmp_path / "tsconfig.json")
    assert found.returncode != 0
    assert "breadth" in found.stdout
