"""Real engine children, warm for a whole module."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rushes.engines.engine import Plan
from rushes.worker.child import EngineChild, Order
from support.awkward_engine import install


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What engine children see: the test models, and the awkward engine."""
    return install(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def child(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineChild]:
    child = EngineChild("awkward", environment, tmp_path_factory.mktemp("logs") / "engine.log")
    yield child
    child.kill()


@pytest.fixture
def order(tmp_path: Path) -> Callable[..., Order]:
    """Makes an order: keyword arguments go into the plan's extra, but for those of the order itself."""

    def make(frames: int = 4, size: tuple[int, int] = (32, 16), **given: Any) -> Order:
        own = {
            name: given.pop(name)
            for name in ("seconds", "cancel_grace", "stop", "on_progress", "on_remember")
            if name in given
        }
        plan = Plan(
            model="rushes-test",
            kind="t2v",
            prompt="",
            negative_prompt="",
            width=size[0],
            height=size[1],
            tier="",
            aspect="2:1",
            fps=24,
            num_frames=frames,
            keep_frames=frames,
            seconds=frames / 24,
            seed=5,
            extra=given,
        )
        fields: dict[str, Any] = {
            "seconds": 30.0,
            "cancel_grace": 10.0,
            "stop": Event(),
            "on_progress": lambda *_: None,
            "on_remember": lambda _: None,
        }
        return Order(plan=plan.as_json(), scratch=tmp_path, remembered=None, **(fields | own))

    return make


def descriptors(pid: int | str = "self") -> int:
    """How many files a process has open; Linux only."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
