"""What the how-to pages show works as printed."""

import re
import tomllib
from pathlib import Path

from rushes.catalog.loader import check_file, load_catalog
from rushes.config import Settings
from rushes.domain.payload import check_payload
from rushes.engines.diffusers import DiffusersEngine
from rushes.engines.diffusers.tuning import Tuning
from rushes.engines.engines_file import read_routes, read_tables
from rushes.engines.options import Setup
from rushes.engines.registry import Engines

ENGINES = Engines()
ENGINE_KEYS = {key for name in ENGINES.names for key in ENGINES.options_of(name).model_fields}
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def test_the_example_card_is_good_and_its_price_can_be_overridden(tmp_path: Path) -> None:
    (card,) = re.findall(r"```yaml\n(.*?)```", (HOW_TO / "add-a-model.md").read_text("utf-8"), re.DOTALL)
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "mine.yaml").write_text(card, "utf-8")
    assert check_file(folder / "mine.yaml") == []
    prices = tmp_path / "prices.yaml"
    prices.write_text("my-model: {usd: 0.5, unit: request}\n", "utf-8")
    found = load_catalog(folder, price_overrides=prices).find("my-model")
    assert (found.price.amount, found.price.unit) == (500_000, "request")


def test_the_cards_for_weights_are_good_and_their_engine_understands_them(tmp_path: Path) -> None:
    page = (HOW_TO / "serve-weights.md").read_text("utf-8")
    (cards,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(cards, "utf-8")
    assert check_file(tmp_path / "mine.yaml") == []
    engine = DiffusersEngine(Setup("diffusers"))
    catalog = load_catalog(tmp_path)
    for name in ("my-wan", "mochi"):
        card = catalog.find(name)
        plan = engine.normalise(card, check_payload(card, card.example).params, 1)
        assert plan.num_frames >= plan.keep_frames == plan.fps * card.example["duration"]
    (table,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    for options in tomllib.loads(table)["engines"].values():
        assert DiffusersEngine.Options.model_validate(options).ready


def test_the_page_on_weights_names_every_option_and_every_card(tmp_path: Path) -> None:
    page = (HOW_TO / "serve-weights.md").read_text("utf-8")
    for option in set(Tuning.model_fields) - {"weights"}:
        assert f"`{option}" in page, option
    for card in load_catalog().cards:
        if any(choice.engine == "diffusers" for choice in card.prefers):
            assert card.id in page or f"`-{card.id.rpartition('-')[2]}`" in page, card.id


def test_every_setting_that_a_page_names_exists() -> None:
    known = {f"RUSHES_{name.upper()}" for name in Settings.model_fields}
    for page in HOW_TO.glob("*.md"):
        named = set(re.findall(r"\bRUSHES_[A-Z_]+\b", page.read_text("utf-8")))
        keys = {name for name in named if name.startswith("RUSHES_ENGINE__")}
        assert named - keys <= known, f"{page.name} names {named - keys - known}"
        for key in keys:
            assert key.rpartition("__")[2].lower() in ENGINE_KEYS, f"{page.name} names {key}"


def test_every_link_between_pages_leads_somewhere() -> None:
    root = HOW_TO.parents[1]
    for page in [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(root)} links to {target}"


def test_every_engines_toml_of_the_pages_and_examples_is_good(tmp_path: Path) -> None:
    pages = [HOW_TO / "serve-from-another-server.md", HOW_TO / "resell-an-upstream.md"]
    texts = [text for page in pages for text in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    texts += [path.read_text("utf-8") for path in sorted((HOW_TO.parents[1] / "examples" / "engines").glob("*.toml"))]
    assert len(texts) == 4
    for text in texts:
        file = tmp_path / "engines.toml"
        file.write_text(text, "utf-8")
        assert read_routes(read_tables(file, {}), ENGINES, load_catalog().cards)
