"""What every card that comes with the server keeps to."""

import re

import pytest
from rushes.catalog.loader import load_catalog
from rushes.domain.errors import FAILURES
from rushes.domain.model_card import ModelCard

CARDS = load_catalog(test_models=True).cards
TASKS = {
    "text-to-video", "image-to-video", "text-or-image-to-video", "first-last-frame", "reference-to-video", "omni",
    "video-edit", "motion-control", "audio-to-video",
}  # fmt: skip


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_says_who_made_the_model_and_what_it_costs(card: ModelCard) -> None:
    assert card.org_id and card.display_name and card.task in TASKS
    assert card.brief_description.endswith(".") and card.detailed_description.endswith(".")
    assert card.price.amount > 0
    assert not card.price.public or re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", card.price.as_of)
    assert card.created_at > 1_700_000_000


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_bounds_every_length(card: ModelCard) -> None:
    length = card.by_role("duration")
    if length is not None:
        assert length.options or (length.minimum is not None and length.maximum is not None)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_words_shown_to_clients_survive_the_client_that_cuts_at_colons_and_dashes(card: ModelCard) -> None:
    for rule in card.rules:
        assert not re.search(r": | - |[()]", rule.text), rule.text


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_no_closed_model_pretends_to_be_rendered_by_itself(card: ModelCard) -> None:
    assert card.engine == ("faults" if card.test_only else "animatic")
    if "open-weights" not in card.tags:
        assert "diffusers" not in {choice.engine for choice in card.prefers}


def test_open_weights_name_their_pipelines() -> None:
    wan = next(card for card in CARDS if card.id == "Wan-AI_Wan2.1-T2V-14B")
    first = wan.prefers[0]
    assert (first.engine, first.options["weights"]) == ("diffusers", "Wan-AI/Wan2.1-T2V-14B-Diffusers")


def test_the_test_model_can_order_every_failure() -> None:
    card = next(card for card in CARDS if card.test_only)
    code = card.parameter("fail_code")
    assert code is not None
    assert set(code.options) == set(FAILURES)


def test_the_early_apis_model_has_its_published_name() -> None:
    assert [card.published_name for card in CARDS if card.published_name] == ["Wan-AI/Wan2.1"]
