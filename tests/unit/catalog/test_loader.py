"""The catalogue is found by id and made from the cards of the server and of the operator."""

from pathlib import Path

import pytest
from rushes.catalog.loader import Catalog, CatalogError, UnknownModel, check_file, load_catalog
from rushes.domain.pricing import quote

SEEDS = [
    "wan2.7-i2v",
    "skyreels-v4-image-to-video",
    "Veo3",
    "Veo3-Fast",
    "Kling-Image2Video-V2.1-Master",
    "Kling-Text2Video-V2.1-Master",
    "Luma-Ray2",
    "Wan-AI_Wan2.1-T2V-14B",
    "Wan2_1",
    "Image-to-Video-Model",
]

CARD = """\
family: mine
org_id: me
created: 2026-01-02
models:
  - id: {id}
    task: text-to-video
    display_name: Mine
    brief: One of our own.
    description: Made here.
    engine: {engine}
    parameters:
      - {{name: prompt, type: string, required: true}}
    example: {{prompt: x}}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_model_of_the_seed_documents_is_there(catalog: Catalog) -> None:
    assert [catalog.find(model).id for model in SEEDS] == SEEDS


def test_the_catalogue_has_every_model_whose_parameters_are_known_and_the_open_ones() -> None:
    assert len(load_catalog().cards) == 61


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Veo3", "Veo3"),
        ("veo3", "Veo3"),
        ("WAN2.7-I2V", "wan2.7-i2v"),
        ("Wan-AL_Wan2.1-T2V-14B", "Wan-AI_Wan2.1-T2V-14B"),
        ("wan-al_wan2.1-t2v-14b", "Wan-AI_Wan2.1-T2V-14B"),
        ("veo-3.1-generate-preview", "veo-3.1-generate-001"),
        ("wan-ai/wan2.1", "Wan2_1"),
    ],
)
def test_a_model_is_found_exactly_then_by_alias_then_without_regard_to_case(
    catalog: Catalog, asked: str, found: str
) -> None:
    assert catalog.find(asked).id == found


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("Veo4", "Veo3"),
        ("wan2.7", "wan2.7-i2v"),
        ("kling-v3-image-to-vide", "kling-v3-image-to-video"),
        ("Wan-AL_", "Wan-AI_Wan2.1-T2V-14B"),
    ],
)
def test_an_unknown_model_is_answered_with_the_nearest_ids(catalog: Catalog, asked: str, first: str) -> None:
    with pytest.raises(UnknownModel) as unknown:
        catalog.find(asked)
    assert unknown.value.suggestions[0] == first
    error = unknown.value.as_api_error()
    assert (error.row.status, error.row.code, error.param) == (404, "model_not_found", "model")
    assert error.detail == {"suggestions": list(unknown.value.suggestions)}


def test_an_unknown_model_without_neighbours_suggests_nothing(catalog: Catalog) -> None:
    for asked in ("", "x" * 1_000_000, "\x00"):
        with pytest.raises(UnknownModel) as unknown:
            catalog.find(asked)
        assert unknown.value.suggestions == ()
        assert unknown.value.as_api_error().text == "Model not found"


def test_the_test_model_is_there_only_when_asked_for() -> None:
    with pytest.raises(UnknownModel):
        load_catalog().find("rushes-test")
    card = load_catalog(test_models=True).find("rushes-test")
    assert (card.engine, card.test_only) == ("faults", True)


def test_search_goes_by_task_family_and_every_word(catalog: Catalog) -> None:
    assert {card.id for card in catalog.search(family="luma")} == {"Luma-Ray2"}
    assert all(card.task == "text-to-video" for card in catalog.search(task="text-to-video"))
    assert [card.id for card in catalog.search(text="MOTION control")] == ["kling-3-motion-control"]
    assert [card.id for card in catalog.search(text="wan-al")] == ["Wan-AI_Wan2.1-T2V-14B"]
    assert len(catalog.search()) == len(catalog.cards)


def test_an_operator_adds_cards_and_replaces_ours(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", CARD.format(id="my-model", engine="diffusers"))
    write(tmp_path, "b.yaml", CARD.format(id="Luma-Ray2", engine="gmi"))
    catalog = load_catalog(tmp_path)
    assert catalog.find("my-model").created_at == 1_767_312_000
    assert catalog.find("Luma-Ray2").engine == "gmi"
    assert len(catalog.cards) == len(load_catalog().cards) + 1


def test_the_same_id_twice_in_one_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", CARD.format(id="one", engine="x"))
    write(tmp_path, "b.yaml", CARD.format(id="one", engine="x"))
    with pytest.raises(CatalogError, match=r"b\.yaml:5: one is declared twice"):
        load_catalog(tmp_path)


def test_ids_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", CARD.format(id="VEO3", engine="x"))
    with pytest.raises(CatalogError, match="VEO3 of VEO3 also names Veo3"):
        load_catalog(tmp_path)


def test_the_faults_of_all_files_are_reported_together(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "models: [")
    write(tmp_path, "b.yaml", "family: 5")
    with pytest.raises(CatalogError) as refused:
        load_catalog(tmp_path)
    assert {Path(fault.file).name for fault in refused.value.faults} == {"a.yaml", "b.yaml"}


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is not a folder"):
        load_catalog(tmp_path / "nowhere")


def test_an_operator_sets_prices(tmp_path: Path) -> None:
    prices = write(
        tmp_path,
        "prices.yaml",
        "Veo3: {usd: 1.25, unit: second}\nwan2.7-i2v: {amount: 10, by: resolution, amounts: {720P: 4}}\n",
    )
    catalog = load_catalog(price_overrides=prices)
    assert quote(catalog.find("Veo3"), {}, 8) == 10_000_000
    assert quote(catalog.find("wan2.7-i2v"), {"resolution": "720P"}, 5) == 20
    assert catalog.find("Veo3").price.details == "$1.25/second"
    assert not catalog.find("Veo3").price.public
    assert catalog.find("Luma-Ray2").price.public


def test_wrong_prices_are_refused_with_their_lines(tmp_path: Path) -> None:
    prices = write(
        tmp_path,
        "prices.yaml",
        "Veo3: {usd: -1}\nVeo9: {usd: 1}\nLuma-Ray2: {usd: 1, by: sound, table_usd: {on: 2}}\nsora-2-pro: {cost: 1}\n",
    )
    with pytest.raises(CatalogError) as refused:
        load_catalog(price_overrides=prices)
    assert [(fault.line, fault.reason.split(";")[0]) for fault in refused.value.faults] == [
        (1, "a price must be whole micro-dollars between 0 and a million dollars"),
        (2, "Veo9 is not a model of this catalogue"),
        (3, "Luma-Ray2 has no parameter or role sound"),
        (4, "a price needs either usd or amount, in micro-dollars"),
        (4, "cost is not known in a price"),
    ]


def test_check_file_says_what_is_wrong_or_nothing(tmp_path: Path) -> None:
    good = write(tmp_path, "good.yaml", CARD.format(id="good", engine="animatic"))
    bad = write(tmp_path, "bad.yaml", CARD.format(id="bad", engine="animatic").replace("task:", "tasks:"))
    assert check_file(good) == []
    assert check_file(bad) == [
        f"{bad}:5: a model needs task, a text",
        f"{bad}:6: tasks is not known in a model; known are aliases, brief, description, display_name, engine, "
        "engine_options, example, id, org_id, parameters, prefers, price, published_name, requires_any, rules, "
        "synchronous_post, tags, task, test_only",
    ]
    assert check_file(tmp_path / "gone.yaml") == [
        f"{tmp_path / 'gone.yaml'}: cannot be read: No such file or directory"
    ]
