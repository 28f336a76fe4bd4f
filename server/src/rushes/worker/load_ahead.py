"""The first model of an engine's child is loaded before the first request asks for it."""

import sys
import tempfile
from pathlib import Path

from rushes.catalog.loader import Catalog, UnknownModel
from rushes.engines.engine import Engine, EngineError

MODEL_VARIABLE = "RUSHES_LOAD_AHEAD"
"""In the environment of an engine's child: the model its slot is there for."""


class _Nobody:
    """A control that nobody listens to."""

    remembered: str | None = None

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def progress(self, phase: str, done: float, total: float) -> None:
        """There is no request to report to."""

    def check(self) -> None:
        """There is no request to cancel."""

    def remember(self, ref: str) -> None:
        """Loading makes nothing that has to be found again."""


def load_ahead(engine: Engine, catalog: Catalog, model: str) -> None:
    """Load a model and say in the log how long it took, or what is wrong: then the first request will be told, too."""
    with tempfile.TemporaryDirectory(prefix="rushes-load-") as scratch:
        try:
            loaded = engine.load(catalog.find(model), _Nobody(Path(scratch)))
        except (EngineError, UnknownModel, MemoryError) as error:
            sys.stderr.write(f"{model} could not be loaded ahead: {error or type(error).__name__}\n")
        else:
            sys.stderr.write(f"{model} loaded in {loaded.seconds:.1f} s, {loaded.bytes:,} bytes\n")
    sys.stderr.flush()
