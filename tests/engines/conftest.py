"""Engines with real libraries: tiny pipelines with random weights, on the CPU.

They run in an environment of their own: `make test-engines`. Where torch is missing every test here is skipped.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines.recording import RecordingControl
from engines.tiny import build
from PIL import Image
from rushes.engines.diffusers.engine import DiffusersEngine
from rushes.engines.options import Setup

HERE = Path(__file__).parent
LIBRARIES = ("torch", "diffusers", "transformers")
THEIR_WARNINGS = [
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::UserWarning:torch",
    "ignore::UserWarning:diffusers",
    "ignore::UserWarning:transformers",
]
"""Those of torch and the libraries around it, which we cannot mend. Ours are still errors: none is of these kinds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    for item in items:
        if HERE not in item.path.parents:
            continue
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(missing)}; run: make test-engines"))
        for warning in THEIR_WARNINGS:
            item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny pipeline, built when it is first asked for."""
    folder = tmp_path_factory.mktemp("weights")
    return lambda name: build(name, folder)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Bytes change with the number of threads, and two test processes share two cores."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
    yield


@pytest.fixture
def control(tmp_path: Path) -> RecordingControl:
    return RecordingControl(tmp_path)


@pytest.fixture(scope="session")
def engines(tiny: Callable[[str], Path]) -> Callable[[str], DiffusersEngine]:
    """One engine for each folder, so that a folder is loaded once for all tests that do not mind."""
    made: dict[str, DiffusersEngine] = {}

    def engine(name: str) -> DiffusersEngine:
        if name not in made:
            made[name] = DiffusersEngine(Setup("diffusers", {"weights": str(tiny(name))}))
        return made[name]

    return engine


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """200 x 100: the left half red, the right half blue."""
    path = tmp_path_factory.mktemp("pictures") / "halves.png"
    image = Image.new("RGB", (200, 100), (220, 20, 20))
    image.paste((20, 20, 220), (100, 0, 200, 100))
    image.save(path)
    return str(path)
