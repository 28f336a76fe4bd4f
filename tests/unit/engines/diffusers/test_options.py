"""The table of an operator, and a worker that is given one model's weights."""

import json
from pathlib import Path

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.diffusers.options import DiffusersOptions
from rushes.engines.engines_file import EnginesError
from rushes.engines.registry import Engines
from rushes.engines.route import Route
from rushes.engines.routing import Routing, check_packages, offered
from support.weights_cards import weights_card

WAN = load_catalog().find("Wan-AI_Wan2.1-T2V-14B")


def saved(folder: Path, class_name: str = "WanPipeline") -> Path:
    """As much of a folder of weights as is looked at before it is loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": class_name}))
    (folder / "weights.safetensors").write_bytes(bytes(8))
    return folder


def test_a_folder_with_an_index_is_one_model_and_one_without_holds_many(tmp_path: Path) -> None:
    one = DiffusersOptions(weights=saved(tmp_path / "one"))
    assert one.folder_of("anything") == tmp_path / "one"
    many = DiffusersOptions(weights=tmp_path)
    assert many.folder_of("Wan-AI/Wan2.1") == tmp_path / "Wan-AI_Wan2.1"
    assert DiffusersOptions().folder_of("anything") is None


def test_only_a_worker_with_weights_is_ready(tmp_path: Path) -> None:
    assert not DiffusersOptions().ready
    assert DiffusersOptions(weights=tmp_path).ready
    assert "weights is not set" in str(DiffusersOptions().missing())
    assert "there is no folder" in str(DiffusersOptions(weights=tmp_path / "gone").missing())


def test_a_worker_with_weights_serves_that_card_alone(tmp_path: Path) -> None:
    routing = Routing(Engines()).with_weights(WAN, saved(tmp_path))
    assert routing.of(WAN).lane == "diffusers/Wan-AI_Wan2.1-T2V-14B"
    cards = load_catalog().cards
    assert routing.lanes(cards, ["diffusers"]) == ["diffusers/Wan-AI_Wan2.1-T2V-14B"]


@pytest.mark.parametrize(
    ("class_name", "file", "said"),
    [
        ("LTXPipeline", "", "needs a WanPipeline for t2v"),
        ("WanPipeline", "hooks.py", "Python files would be run"),
        ("WanPipeline", "model.bin", "pickled weights"),
    ],
)
def test_wrong_weights_are_told_before_the_worker_starts(tmp_path: Path, class_name: str, file: str, said: str) -> None:
    folder = saved(tmp_path, class_name)
    if file:
        (folder / file).touch()
    with pytest.raises(EnginesError, match=said):
        Routing(Engines()).with_weights(WAN, folder)


def test_a_card_whose_options_are_wrong_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(EnginesError, match="offload"):
        Routing(Engines()).with_weights(weights_card(offload="moon"), saved(tmp_path))


def test_a_worker_without_weights_leaves_such_cards_to_others() -> None:
    routing = Routing(Engines())
    assert [route.name for route in offered(routing, [WAN, weights_card()], [])] == ["animatic"]
    with pytest.raises(EnginesError, match=r"engines\.diffusers: weights is not set"):
        offered(routing, [weights_card()], ["diffusers"])


class Elsewhere(DiffusersOptions):
    packages = ("json", "no_such_package_anywhere")


def test_a_worker_whose_packages_are_missing_says_how_to_get_them() -> None:
    check_packages([Route("animatic", "animatic")])
    with pytest.raises(EnginesError, match=r"diffusers needs no_such_package_anywhere; try: pip install 'rushes\[diff"):
        check_packages([Route("diffusers", "diffusers", Elsewhere())])
