"""Which engine serves a card: first match of local, remote, upstream, and the card's own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rushes.catalog.loader import load_catalog
from rushes.egress import EgressSettings
from rushes.engines.engines_file import EnginesError, read_routes
from rushes.engines.lanes import label_of
from rushes.engines.options import RemoteOptions, Setup
from rushes.engines.registry import Engines
from rushes.engines.routing import Routing, offered, read_routing
from support.placed_engines import GpuEngine, placed_engines
from support.weights_cards import weights_card

CATALOG = load_catalog(test_models=True)
LUMA, VEO, WAN = (CATALOG.find(name) for name in ("Luma-Ray2", "Veo3", "Wan-AI_Wan2.1-T2V-14B"))
SERVER = {"engine": "server", "base_url": "http://127.0.0.1:9"}
UPSTREAM = {"engine": "upstream", "base_url": "http://127.0.0.1:9"}


def routing(**tables: dict[str, Any]) -> Routing:
    engines = placed_engines()
    return Routing(engines, read_routes(tables, engines, CATALOG.cards))


def test_without_any_table_every_card_has_its_own_engine() -> None:
    plain = routing()
    for card in CATALOG.cards:
        served = plain.of(card)
        assert (served.engine.name, served.lane) == (card.engine, card.engine)


def test_the_first_of_local_remote_and_upstream_serves_a_card_wherever_it_stands_in_the_file() -> None:
    tables = {
        "upstream": UPSTREAM | {"models": ["*"]},
        "lab": SERVER | {"models": ["Luma-*", "family:wan2.1"]},
        "gpu": {"models": ["family:wan2.1"]},
    }
    chosen = routing(**tables)
    assert chosen.of(WAN).lane == "gpu/Wan-AI_Wan2.1-T2V-14B"
    assert chosen.of(LUMA).lane == "server:lab"
    assert chosen.of(VEO).lane == "upstream"


def test_of_two_tables_of_one_place_the_first_in_the_file_serves() -> None:
    two = routing(second=SERVER | {"models": ["luma-ray2"]}, first=SERVER | {"models": ["*"]})
    assert (two.of(LUMA).lane, two.of(VEO).lane) == ("server:second", "server:first")


def test_a_worker_serves_every_lane_it_could_also_where_another_table_comes_first() -> None:
    """What was queued before a change of the file is still rendered."""
    both = routing(lab=SERVER | {"models": ["Luma-Ray2"]}, upstream=UPSTREAM | {"models": ["Luma-Ray2"]})
    assert both.lanes(CATALOG.cards, ["animatic", "lab", "upstream"]) == ["animatic", "server:lab", "upstream"]
    assert both.lanes(CATALOG.cards, ["upstream"]) == ["upstream"]


def test_a_worker_counts_gpus_by_the_card_that_takes_most_of_them() -> None:
    wide = weights_card("wan", model="wide", context_parallel={"gpus": 4})
    cards, engines = [wide, weights_card("ltx", model="narrow"), VEO], Engines()
    tables = {"diffusers": {"models": ["wide", "narrow"]}, "other": {"engine": "diffusers", "models": ["narrow"]}}
    made = Routing(engines, read_routes(tables, engines, cards))
    assert made.gpus(cards, ["diffusers", "animatic"]) == 4
    assert made.gpus(cards, ["other", "animatic"]) == 1
    assert made.gpus([], ["diffusers"]) == 1


def test_weights_that_a_live_worker_has_are_used_only_by_cards_that_prefer_their_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engines = placed_engines()
    monkeypatch.setitem(engines._found, "diffusers", engines._found["gpu"])  # pyright: ignore[reportPrivateUsage]
    plain = Routing(engines)
    lane = "diffusers/Wan-AI_Wan2.1-T2V-14B"
    assert plain.hears(WAN) and not plain.hears(LUMA)
    assert plain.of(WAN).lane == "animatic"
    assert plain.of(WAN, {lane}).lane == lane
    assert plain.of(LUMA, {"diffusers/Luma-Ray2"}).lane == "animatic"


def test_a_table_for_a_local_engine_keeps_its_models_waiting_for_a_worker() -> None:
    assert routing(gpu={"models": [WAN.id]}).of(WAN, live=()).lane == f"gpu/{WAN.id}"


def test_a_worker_with_weights_serves_that_model_in_the_lane_that_the_file_gives_it() -> None:
    named = routing(big={"engine": "gpu", "models": ["family:wan2.1"]}).with_weights(WAN, Path("/weights"))
    assert named.lanes(CATALOG.cards, [route.name for route in named.routes]) == [f"gpu:big/{WAN.id}"]
    plain = routing().with_weights(LUMA, Path("/weights"))
    assert plain.lanes(CATALOG.cards, [route.name for route in plain.routes]) == ["gpu/Luma-Ray2"]
    engine = plain.engine("gpu")
    assert isinstance(engine, GpuEngine) and engine.setup.options["weights"] == "/weights"


def test_a_lane_says_what_a_child_is_made_of() -> None:
    lab = routing(lab=SERVER | {"models": ["Luma-Ray2"], "key_env": "LAB_KEY"})
    engine, setup = lab.setup(label_of(lab.of(LUMA).lane))
    assert (engine, setup.name, setup.options["base_url"]) == ("server", "lab", "http://127.0.0.1:9")
    assert Setup.from_json(setup.as_json()) == setup
    assert lab.setup(label_of("animatic"))[0] == "animatic"


def test_a_setup_carries_what_links_may_point_to() -> None:
    egress = EgressSettings.of([80, 8080], ["10.1.0.0/16"])
    assert Setup.from_json(Setup("x", {}, egress).as_json()).egress == egress


def test_a_worker_offers_what_it_is_ready_for_and_what_it_is_told() -> None:
    tables = {"gpu": {"models": ["family:wan2.1"]}, "lab": SERVER | {"models": ["*"]}}
    names = [route.name for route in offered(routing(**tables), CATALOG.cards, [])]
    assert sorted(names) == ["animatic", "faults", "lab"]
    ready = routing(**tables | {"gpu": {"models": ["family:wan2.1"], "weights": "/w"}})
    assert "gpu" in [route.name for route in offered(ready, CATALOG.cards, [])]
    assert [route.name for route in offered(ready, CATALOG.cards, ["lab"])] == ["lab"]
    with pytest.raises(EnginesError, match="moon: no engine or table has this name; there are animatic"):
        offered(ready, CATALOG.cards, ["moon"])


def test_a_worker_without_the_key_is_refused_and_an_api_process_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = routing(lab=SERVER | {"models": ["*"], "key_env": "LAB_KEY"})
    with pytest.raises(EnginesError, match=r"engines\.lab: the variable LAB_KEY is not set"):
        offered(keyed, CATALOG.cards, [])
    monkeypatch.setenv("LAB_KEY", "secret")
    assert "lab" in [route.name for route in offered(keyed, CATALOG.cards, [])]


@pytest.mark.parametrize("text", ["", "two\nlines", "umläut", "with\x07bell"])
def test_a_key_file_must_hold_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text, "utf-8")
    options = RemoteOptions(base_url="http://x", key_file=file)
    assert options.missing() == "the key must be one line of visible ASCII"
    file.write_text(" gmi_abc \n")
    assert options.key() == "gmi_abc"
    file.unlink()
    assert options.missing() == f"{file} cannot be read"


def test_an_engine_that_is_not_installed_is_named_at_start() -> None:
    with pytest.raises(EnginesError, match="Luma-Ray2: No engine 'warp' is installed"):
        read_routing(None, {}, [replace(LUMA, engine="warp")], EgressSettings())
