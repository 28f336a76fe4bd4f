"""torch costs 4 s and 430 MB: nothing but an engine's child may import it."""

import subprocess
import sys

import pytest

SOURCES = [
    "from rushes.cli import app",
    "import rushes.api.app, rushes.api.wiring",
    "import rushes.worker.assembly, rushes.worker.child_main",
    "from rushes.engines.diffusers import DiffusersEngine\n"
    "from rushes.engines.options import Setup\n"
    "from support.weights_cards import weights_card\n"
    "engine = DiffusersEngine(Setup('diffusers'))\n"
    "engine.caps(weights_card()), engine.normalise(weights_card(), {'prompt': 'p'}, 1), engine.health()",
]


@pytest.mark.parametrize("source", SOURCES, ids=["cli", "api", "worker", "engine at submit"])
def test_nothing_but_the_engines_child_imports_torch(source: str) -> None:
    check = "heavy = {'torch', 'diffusers', 'transformers'} & set(sys.modules)\nsys.exit(str(heavy) if heavy else 0)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'tests')\n{source}\n{check}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
