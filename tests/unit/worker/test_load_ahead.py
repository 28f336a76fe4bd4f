"""A child with weights loads its model before the first request; what goes wrong is left for that request to hear."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rushes.catalog.loader import Catalog
from rushes.domain.model_card import ModelCard
from rushes.engines.engine import SLOT_VARIABLE, Control, Loaded, Unsupported
from rushes.engines.faults import FaultsEngine
from rushes.engines.lanes import model_of
from rushes.engines.registry import Engines
from rushes.engines.routing import Routing
from rushes.worker.child import EngineChild, Order
from rushes.worker.load_ahead import MODEL_VARIABLE, load_ahead
from rushes.worker.slot import Slot


class Recording(FaultsEngine):
    loaded = ""

    def load(self, card: ModelCard, control: Control) -> Loaded:
        control.progress("loading", 0, 1)
        control.check()
        control.remember("nothing")
        assert control.scratch.is_dir()
        self.loaded = card.id
        return Loaded(7, 0.25, "recording 1")


class Lacking(FaultsEngine):
    def load(self, card: ModelCard, control: Control) -> Loaded:
        raise Unsupported("the folder is empty")


def test_a_model_is_loaded_with_nobody_listening(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Recording()
    load_ahead(engine, catalog, "rushes-test")
    assert engine.loaded == "rushes-test"
    assert "rushes-test loaded in 0.2 s, 7 bytes" in capsys.readouterr().err


@pytest.mark.parametrize(("model", "said"), [("rushes-test", "the folder is empty"), ("gone", "gone")])
def test_what_goes_wrong_is_in_the_log_and_the_child_goes_on(
    catalog: Catalog, capsys: pytest.CaptureFixture[str], model: str, said: str
) -> None:
    load_ahead(Lacking(), catalog, model)
    err = capsys.readouterr().err
    assert "could not be loaded ahead" in err
    assert said in err


def test_a_child_says_in_its_log_what_it_loaded_and_then_runs(
    environment: dict[str, str], order: Callable[..., Order], tmp_path: Path
) -> None:
    log = tmp_path / "engine.log"
    child = EngineChild("awkward", {**environment, MODEL_VARIABLE: "rushes-test"}, log)
    try:
        child.run(order(way="file"))
        assert "rushes-test loaded in" in log.read_text()
    finally:
        child.kill()


def test_the_model_of_a_lane_is_what_follows_its_engine() -> None:
    lanes = {"animatic": "", "diffusers/Wan-AI_Wan2.1": "Wan-AI_Wan2.1", "diffusers:lab/org/name": "org/name"}
    assert {lane: model_of(lane) for lane in lanes} == lanes


def test_a_slot_tells_its_child_its_number_and_the_model_it_is_there_for() -> None:
    slot = Slot(3, Routing(Engines()), {"HOME": "/nowhere"}, None, lambda: None)
    environment = slot.child("diffusers/some-weights")._environment
    assert (environment[SLOT_VARIABLE], environment[MODEL_VARIABLE]) == ("3", "some-weights")
    assert Slot(0, Routing(Engines()), {}, None, lambda: None).child("animatic")._environment[MODEL_VARIABLE] == ""
