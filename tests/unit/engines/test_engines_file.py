"""engines.toml and its variables: what is read, and how every fault is named."""

from pathlib import Path

import pytest
from rushes.catalog.loader import load_catalog
from rushes.engines.engines_file import EnginesError, Tables, read_routes, read_tables
from rushes.engines.route import Route
from support.placed_engines import placed_engines

CARDS = load_catalog(test_models=True).cards


def routes(tables: Tables) -> list[Route]:
    return read_routes(tables, placed_engines(), CARDS)


def faults(tables: Tables) -> tuple[str, ...]:
    with pytest.raises(EnginesError) as refused:
        routes(tables)
    return refused.value.faults


def test_no_file_is_no_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_tables(None, {}) == {}


def test_engines_toml_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "engines.toml").write_text('[engines.lab]\nengine = "server"\n')
    assert read_tables(None, {}) == {"lab": {"engine": "server"}}


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnginesError, match=r"nowhere\.toml: No such file"):
        read_tables(tmp_path / "nowhere.toml", {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("engines = 3", "engines: must hold tables"),
        ("[engines]\nlab = 3", "engines: must hold tables"),
        ("[engine.lab]", "engine: unknown key"),
        ("[engines.lab", "is not valid TOML"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "engines.toml"
    file.write_text(text)
    with pytest.raises(EnginesError, match=said):
        read_tables(file, {})


def test_a_variable_wins_over_the_file_and_makes_tables_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "engines.toml"
    file.write_text('[engines.lab]\nengine = "server"\nbase_url = "http://old"\nslots = 2\n')
    variables = {
        "RUSHES_ENGINE__LAB__BASE_URL": "http://new",
        "RUSHES_ENGINE__LAB__MODELS": "Luma-Ray2, family:veo",
        "RUSHES_ENGINE__UPSTREAM__BASE_URL": "https://example.com",
        "RUSHES_ENGINE__UPSTREAM__SLOTS": "4",
        "RUSHES_ENGINE__UPSTREAM__MODELS": "*",
        "RUSHES_ENGINES_FILE": "x",
    }
    lab, upstream = routes(read_tables(file, variables))
    assert (lab.label, lab.options.model_dump(include={"base_url", "slots", "models"})) == (
        "server:lab",
        {"base_url": "http://new", "slots": 2, "models": ["Luma-Ray2", "family:veo"]},
    )
    assert (upstream.label, upstream.options.model_dump()["slots"]) == ("upstream", 4)


def test_a_variable_without_a_key_is_refused() -> None:
    with pytest.raises(EnginesError, match="RUSHES_ENGINE__LAB: must be RUSHES_ENGINE__<NAME>__<KEY>"):
        read_tables(None, {"RUSHES_ENGINE__LAB": "http://x"})


def test_every_fault_of_every_table_is_named_at_once() -> None:
    said = faults(
        {
            "Lab": {},
            "one": {"engine": "nothing"},
            "two": {"engine": "server", "base_url": "http://x", "dialekt": 1, "slots": 0, "models": ["*"]},
            "three": {"engine": "server", "models": ["*"]},
            "four": {"engine": "server", "base_url": "http://x", "models": ["Luma-Ray9"]},
            "five": {"engine": "server", "base_url": "http://x"},
        }
    )
    assert said == (
        "engines.Lab: a name is up to 32 of a-z, 0-9 and _, and begins with a letter",
        "engines.one.engine: No engine 'nothing' is installed; there are animatic, faults, gpu, server, upstream",
        "engines.two.slots: Input should be greater than or equal to 1 (given: 0)",
        "engines.two.dialekt: is not a key of this engine",
        "engines.three.base_url: is missing",
        "engines.four.models: 'Luma-Ray9' matches no model; `rushes models` lists them",
        "engines.five.models: is missing; no card prefers server, so say which models it serves",
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.0.7:8000",
        "ftp://x",
        "http://",
        "http://a:b@x",
        "http://x?y=1",
        "http://x#y",
        "http://x:0",
        "http://x:99999",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    (said,) = faults({"server": {"base_url": url, "models": ["*"]}})
    assert said.startswith("engines.server.base_url: ")


def test_a_key_is_either_in_a_variable_or_in_a_file() -> None:
    (said,) = faults({"server": {"base_url": "http://x", "models": ["*"], "key_env": "A", "key_file": "b"}})
    assert "give key_env or key_file, not both" in said


def test_a_key_itself_has_no_place_in_the_file() -> None:
    (said,) = faults({"server": {"base_url": "http://x", "models": ["*"], "key": "gmi_secret"}})
    assert said == "engines.server.key: is not a key of this engine"
